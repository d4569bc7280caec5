import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.DeploymentOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;

/**
 * A Flink cluster in one process that waits for jobs in SQL, because the SQL client's start would otherwise be part of
 * what the bench measures. usage: FlinkCluster DIR_OF_CONFIG_YAML PORT
 *
 * <p>POST takes statements with semicolons at line ends, the last of which starts the job. DELETE cancels it.
 */
public final class FlinkCluster {
    private static JobClient job;

    public static void main(String[] arguments) throws Exception {
        Configuration configuration = GlobalConfiguration.loadConfiguration(arguments[0]);
        MiniCluster cluster =
                new MiniCluster(
                        new MiniClusterConfiguration.Builder()
                                .setConfiguration(configuration)
                                .setNumSlotsPerTaskManager(configuration.get(TaskManagerOptions.NUM_TASK_SLOTS))
                                .build());
        cluster.start();
        URI address = cluster.getRestAddress().get();
        configuration.set(RestOptions.ADDRESS, address.getHost());
        configuration.set(RestOptions.PORT, address.getPort());
        configuration.set(DeploymentOptions.TARGET, "remote");

        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[1])), 0);
        server.createContext("/", exchange -> {
            int status = 200;
            String answer;
            try (exchange) {
                try {
                    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
                    answer = exchange.getRequestMethod().equals("DELETE") ? cancel() : start(configuration, body);
                } catch (Exception e) {
                    e.printStackTrace();
                    status = 500;
                    answer = e.toString();
                }
                byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(status, bytes.length);
                exchange.getResponseBody().write(bytes);
            }
        });
        server.start();
    }

    private static String start(Configuration configuration, String statements) throws IOException {
        TableEnvironment session =
                TableEnvironment.create(EnvironmentSettings.newInstance().withConfiguration(configuration).build());
        TableResult result = null;
        for (String statement : statements.split(";\\s*\n")) {
            if (!statement.isBlank()) result = session.executeSql(statement);
        }
        job = result.getJobClient().orElseThrow(() -> new IOException("the last statement is no INSERT"));
        return job.getJobID().toString();
    }

    private static String cancel() throws Exception {
        job.cancel().get(30, TimeUnit.SECONDS);
        while (!job.getJobStatus().get(30, TimeUnit.SECONDS).isGloballyTerminalState()) Thread.sleep(20);
        return "cancelled";
    }
}
