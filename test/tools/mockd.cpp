// A broker for demo and quick tests: librdkafka's mock cluster in a process of its own.
// usage: mockd [--topic name:partitions]...   Prints the bootstrap address and runs until SIGTERM or SIGINT.

#include "kafka_handle.hpp"

#include <librdkafka/rdkafka_mock.h>

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using sluice::tools::Failure;

void create_topic(rd_kafka_mock_cluster_t* cluster, const std::string& argument) {
    const auto colon = argument.rfind(':');
    const int partitions = colon == std::string::npos ? 0 : std::atoi(argument.c_str() + colon + 1);
    if (partitions <= 0) throw Failure("--topic " + argument + ": expected name:partitions");
    sluice::tools::check(
        rd_kafka_mock_topic_create(cluster, argument.substr(0, colon).c_str(), partitions, 1),
        "cannot create topic " + argument);
}

void serve(int argc, char** argv) {
    // Blocked before librdkafka makes its threads, which inherit the mask: only sigwait sees them.
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);

    const auto handle = sluice::tools::open(RD_KAFKA_PRODUCER, {{"client.id", "mockd"}});
    const std::unique_ptr<rd_kafka_mock_cluster_t, decltype(&rd_kafka_mock_cluster_destroy)> cluster(
        rd_kafka_mock_cluster_new(handle.get(), 1), &rd_kafka_mock_cluster_destroy);
    if (!cluster) throw Failure("cannot start the mock cluster");
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--topic") != 0 || i + 1 == argc)
            throw Failure(std::string("unknown argument ") + argv[i] + ": expected --topic name:partitions");
        create_topic(cluster.get(), argv[++i]);
    }
    std::puts(rd_kafka_mock_cluster_bootstraps(cluster.get()));
    std::fflush(stdout);
    int signal = 0;
    sigwait(&ending, &signal);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        serve(argc, argv);
    } catch (const Failure& failure) {
        std::fprintf(stderr, "mockd: %s\n", failure.what());
        return 1;
    }
}
