# Shell functions that start Kafka Connect and Flink beside the bench's server and broker, and run one of their
# contenders. Sourced after bench/lib.sh.

PEERS=$BENCH/peers
HEAP=${HEAP:-2g}

# Jars change with everything in the pom: peer_jars connect|flink WHAT
peer_jars() {
    local pom=$PEERS/$1.xml
    jars_of "$pom" "$1-$(cksum <"$pom" | cut -d ' ' -f 1)" "$2"
}

# The value of a property of a pom: pom_value connect|flink NAME
pom_value() { sed -n "s:.*<$2>\(.*\)</$2>.*:\1:p" "$PEERS/$1.xml"; }

# Starts a Java process as the test user with its output in NAME.log: start_java NAME ARGUMENT...
start_java() {
    local name=$1
    shift
    exec_as_test_user java "-Xmx$HEAP" -Djava.io.tmpdir="$work" -Dorg.slf4j.simpleLogger.showDateTime=true \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn "$@" >"$name.log" 2>&1 </dev/null &
    processes+=($!)
}

# Waits until a process listens: wait_for_port PORT PID NAME
wait_for_port() {
    for _ in $(seq 600); do
        kill -0 "$2" 2>/dev/null || break
        if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
        sleep 0.2
    done
    tail -20 "$3.log" >&2
    die "$3 does not answer"
}

start_connect() {
    local port
    port=$(free_port)
    cat >connect.properties <<CONF
bootstrap.servers=$SLUICE_TEST_KAFKA
listeners=http://127.0.0.1:$port
offset.storage.file.filename=$work/connect.offsets
plugin.discovery=service_load
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
CONF
    start_java connect -cp "$CONNECT_LIBS/*" org.apache.kafka.connect.cli.ConnectStandalone connect.properties
    connect_pid=$!
    export CONNECT=http://127.0.0.1:$port
    wait_for_port "$port" "$connect_pid" connect
}

# Flink reaches into Java's own classes, as its start scripts let it.
start_flink() {
    local port opened=()
    port=$(free_port)
    for package in lang lang.reflect util util.concurrent util.concurrent.atomic util.concurrent.locks net nio text time; do
        opened+=(--add-opens "java.base/java.$package=ALL-UNNAMED")
    done
    as_test_user javac -cp "$FLINK_LIBS/*" -d peers peers/FlinkCluster.java
    start_java flink "${opened[@]}" -cp "peers:$FLINK_LIBS/*" FlinkCluster peers "$port"
    flink_pid=$!
    export FLINK=http://127.0.0.1:$port
    wait_for_port "$port" "$flink_pid" flink
}

# Runs one contender: peer NAME TOPIC insert|merge
peer() {
    local name=$1 topic=$2 mode=$3 program process
    case $name in
        connect_*) program=connect.pl process=$connect_pid ;;
        flink_*) program=flink.pl process=$flink_pid ;;
    esac
    psql_bench -v program="$program" -v arguments="${name#*_} $topic $mode" -v process="$process" \
        -v staging="${topic%_json}_staging" -f contenders/peer.sql
}

# Puts the rows of a CSV topic into another one as JSON, in the same order and partitions: make_json_topic TOPIC
make_json_topic() {
    local topic=$1
    as_test_user kafkatool create-topic "${topic}_json" --partitions $PARTITIONS
    psql_bench -v staging="${topic}_staging" -v partitions=$PARTITIONS -f peers/json.sql |
        as_test_user kafkatool -X linger.ms=50 -X batch.num.messages=20000 produce "${topic}_json" >/dev/null
    psql_bench -c "CALL make_source('${topic}_json_src', 'orders_row', '${topic}_json', 'json')"
}
