# Shell functions that the bench scripts share: a private server beside a private Kafka, contenders and their lines,
# the report. Sourced after scripts/lib.sh.

BENCH=$ROOT/bench
ROUNDS=${ROUNDS:-3}
BATCH=${BATCH:-50000}
PARTITIONS=4
PGPORT=5432  # in a socket directory of its own, so it meets nobody
BINDIR=$("$PG_CONFIG" --bindir)
LISTEN=       # an address for those who cannot use a socket; they need a password
SETTINGS=${SETTINGS:-"shared_buffers = 1GB, max_wal_size = 8GB"}
processes=()  # what a bench starts beside server and broker

bench_finish() {
    local status=$?
    trap '' INT TERM HUP
    if [ $status != 0 ] && [ $status -lt 128 ] && [ -d "$work/data" ]; then
        mkdir -p "$ROOT/build/bench"
        cp "$work"/*.log "$ROOT/build/bench/" 2>/dev/null || true
        say "failed; the logs are in build/bench" >&2
    fi
    for pid in "${processes[@]}"; do end_process "$pid"; done
    if [ -f "$work/data/postmaster.pid" ]; then
        (cd "$work" && as_test_user "$BINDIR/pg_ctl" -D "$work/data" -m immediate -w stop >/dev/null 2>&1) || true
    fi
    if [ -f "$work/kafka/pid" ]; then (cd "$work" && as_test_user bin/kafka stop "$work/kafka") || true; fi
    rm -rf "$work"
}

# Starts server and broker in a directory of their own, goes there, and cleans up at the end. Programs of CMake that the
# bench needs: bench_start [TARGET]...
bench_start() {
    work=$(mktemp -d /tmp/sluice-bench.XXXXXX)
    trap bench_finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP

    read -r LOAD _ </proc/loadavg
    if awk -v load="$LOAD" 'BEGIN { exit !(load > 0.5) }'; then
        say "the machine is busy (load average $LOAD): the numbers will be noise"
    fi
    KAFKA_LIBS=$("$ROOT/scripts/kafka_libs")
    export KAFKA_LIBS
    cmake_build kafkatool "$@"
    mkdir "$work/bin"
    stage_install "$work/stage" >"$work/server.conf"
    cp "$ROOT/build/kafkatool" "$ROOT/test/tools/kafka" "$work/bin/"
    for program in "$@"; do cp "$ROOT/build/$program" "$work/bin/"; done
    cp -r "$BENCH"/*.sql "$BENCH"/orders.* "$BENCH/contenders" "$BENCH/peers" "$work/"
    cat >>"$work/server.conf" <<CONF
shared_preload_libraries = 'sluice'
listen_addresses = '$LISTEN'
unix_socket_directories = '$work'
port = $PGPORT
${SETTINGS//, /$'\n'}
CONF
    give_to_test_user "$work"
    cd "$work"
    export PATH=$work/bin:$PATH PGHOST=$work PGPORT PGUSER=postgres PGDATABASE=postgres
    export PGOPTIONS='-c client_min_messages=warning'

    SLUICE_TEST_KAFKA=$(as_test_user kafka start "$work/kafka" "$(free_port)")
    export SLUICE_TEST_KAFKA
    as_test_user "$BINDIR/initdb" -D data -U postgres --auth-local=trust --auth-host=scram-sha-256 \
        -E UTF8 --no-locale >initdb.log
    cat server.conf >>data/postgresql.conf
    as_test_user "$BINDIR/pg_ctl" -D data -l server.log -w start >/dev/null
    psql_bench -v brokers="$SLUICE_TEST_KAFKA" -f schema.sql
}

psql_bench() { as_test_user "$BINDIR/psql" -XAtq -F $'\t' -v ON_ERROR_STOP=1 "$@"; }

# Makes a topic with rows and a foreign table over it: fill_topic TOPIC SHAPE ROWS [flood option]...
fill_topic() {
    local topic=$1 shape=$2 rows=$3
    shift 3
    say "producing $rows rows into the topic $topic"
    as_test_user kafkatool flood "$topic" --rows "$rows" --shape "$shape" "$@" >/dev/null
    # A job would wait for ever for a message that is not there.
    as_test_user kafkatool watermarks "$topic" | awk -v rows="$rows" '{ n += $3 - $2 } END { exit n != rows }' ||
        die "the topic $topic does not hold its $rows messages"
    psql_bench -c "CALL make_source('${topic}_src', '${shape}_row', '$topic')"
}

# The same with a file of the rows beside it.
make_topic() { fill_topic "$@" --file "$1.csv"; }

# Runs one contender on the table `target` and prints its line: seconds, CPU ticks of the client, of the backends, and
# for jobs memory and stages. contender NAME TOPIC ROWS ARGUMENTS_OF_CREATE_JOB
contender() {
    local name=$1 topic=$2 rows=$3 arguments=$4
    case $name in
        copy | upsert | update_from)
            psql_bench -v file="$work/$topic.csv" -v staging="${topic}_staging" -v rows="$rows" -v batch="$BATCH" \
                -f "contenders/$name.sql" ;;
        client_binary) copy_client "$SLUICE_TEST_KAFKA" "$topic" "$rows" binary 1 ;;
        client_binary2) copy_client "$SLUICE_TEST_KAFKA" "$topic" "$rows" binary 2 ;;
        client_csv) copy_client "$SLUICE_TEST_KAFKA" "$topic" "$rows" csv 1 ;;
        client_upsert) copy_client "$SLUICE_TEST_KAFKA" "$topic" "$rows" upsert 1 ;;
        python) "$PYTHON" contenders/python_worker.py "$SLUICE_TEST_KAFKA" "$topic" "$rows" ;;
        connect* | flink*) peer "$name" "$topic" "$arguments" ;;
        job*) psql_bench -v source="${topic}_src" -v rows="$rows" -v arguments="$arguments" -f contenders/job.sql ;;
        *) die "there is no contender $name" ;;
    esac
}

# Runs one contender of a case on a new target, shows and keeps its line, and compares what it wrote with what the others
# of the case wrote. run CASE CONTENDER ROUND TOPIC ROWS ARGUMENTS [variable of target.sql]...
declare -A written
run() {
    local case=$1 name=$2 round=$3 topic=$4 rows=$5 arguments=$6 variables=() line result seconds client backend memory stages
    shift 6
    for variable in shape=orders_row key=0 fillfactor=100 filled=0 "$@"; do variables+=(-v "$variable"); done
    psql_bench "${variables[@]}" -f target.sql
    line=$(contender "$name" "$topic" "$rows" "$arguments") || die "$case: $name failed"
    result=$(psql_bench -f result.sql)
    IFS=$'\t' read -r seconds client backend memory stages <<<"$line"
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$case" "$name" "$round" "$rows" "$seconds" "$client" "$backend" \
        "$result" "${memory:--}" "${stages:--}" >>results.tsv
    printf '%-13s %-16s round %d  %8.2f s  %9.0f rows/s\n' "$case" "$name" "$round" "$seconds" \
        "$(awk -v rows="$rows" -v s="$seconds" 'BEGIN { print rows / s }')"
    result=${result%$'\t'*}  # without the transactions
    if [ "${written[$case]:=$result}" != "$result" ]; then
        die "$case: $name wrote other rows than the first contender (count and checksum): $result, not ${written[$case]}"
    fi
}

# User and system time of processes in ticks: cpu_of PID...
cpu_of() { (cd /proc && awk '{ ticks += $14 + $15 } END { print ticks }' "${@/%//stat}"); }

# Who comes first changes, so that nobody always finds another's dirt: in_order ROUND CONTENDER...
in_order() {
    local round=$1 reversed=()
    shift
    for name in "$@"; do reversed=("$name" "${reversed[@]}"); done
    if ((round % 2)); then echo "$@"; else echo "${reversed[@]}"; fi
}

# A Python with modules from PyPI; prints nothing when they cannot be had: bench_python "MODULE, …" PACKAGE...
bench_python() {
    local venv=$ROOT/build/bench/venv modules=$1
    shift
    if ! "$venv/bin/python" -c "import $modules" 2>/dev/null; then
        mkdir -p "${venv%/*}"
        { python3 -m venv "$venv" && "$venv/bin/pip" install -q "$@"; } >"$venv.log" 2>&1 || return 0
    fi
    echo "$venv/bin/python"
}

# Lines about the machine and the versions, for the head of a report.
machine() {
    local kafka librdkafka sluice processor memory python
    sluice=$(git -c safe.directory='*' -C "$ROOT" describe --always --dirty 2>/dev/null || echo 'not a checkout')
    kafka=$(sed -n 's:.*<kafka\.version>\(.*\)</kafka\.version>.*:\1:p' "$ROOT/test/tools/pom.xml")
    librdkafka=$(psql_bench -c "SELECT value FROM sluice.library_info() WHERE item = 'librdkafka, in use'")
    processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
    memory=$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)
    echo "- PostgreSQL $(psql_bench -c 'SHOW server_version'), default durability, $SETTINGS; data on $(stat -f -c %T "$work")."
    echo "- Kafka $kafka, librdkafka $librdkafka, sluice $sluice."
    if [ -n "${PYTHON:-}" ]; then
        python=$("$PYTHON" -c 'import confluent_kafka as k, psycopg, sys
print(f"Python {sys.version.split()[0]}, confluent-kafka {k.__version__} with librdkafka {k.libversion()[0]}, psycopg {psycopg.__version__}")')
        echo "- $python."
    fi
    echo "- $processor, $(nproc) cores, $memory GB, Linux $(uname -r); load average at the start $LOAD."
}

# Shows the report on stdin and keeps it, with the lines it is made of: keep_report SUFFIX
keep_report() {
    local name plotter
    name=bench/results/$(date +%F-%H%M)$1
    check_server_logs "$work"
    mkdir -p "$ROOT/bench/results"
    echo
    tee "$ROOT/$name.md"
    cp results.tsv "$ROOT/$name.tsv"
    say "kept in $name.md and .tsv"
    if [ "${PLOT:-no}" != no ]; then
        plotter=$(bench_python matplotlib matplotlib)
        if [ -z "$plotter" ]; then say "no plot: matplotlib cannot be had, see build/bench/venv.log"; return; fi
        "$plotter" "$BENCH/plot.py" results.tsv "$ROOT/$name.svg" ${PLOT#yes}
        say "drawn in $name.svg"
    fi
}
