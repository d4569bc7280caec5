# The cases of `make bench` and how one is run. Sourced after lib.sh.
#
# A case is a list of contenders that get the same rows and must leave the same table behind. The first one is what the
# others are compared with.

# Sets what a case is: contenders, topic, and what target.sql is told.
case_of() {
    topic=inserts rows=$ROWS target=()
    case $1 in
        append)       contenders="copy client_binary client_binary2 client_csv python job1 job2" ;;
        append_key)   contenders="copy job1 job2" target=(key=1) ;;
        expressions)  contenders="job1 job1_expressions" ;;
        formats)      contenders="copy job1_csv job1_json job2_json job1_debezium job2_debezium job1_avro job2_avro job1_protobuf job2_protobuf"
                      topic=forms rows=$((ROWS / 2)) ;;
        merge_empty)  contenders="upsert job1 job2" target=(key=1) ;;
        merge_filled) contenders="upsert client_upsert job1 job2" target=(key=1 filled="$KEYS") ;;
        merge_hot)    contenders="upsert job1 job2" target=(key=1 filled="$KEYS" fillfactor=70) ;;
        merge_guard)  contenders="job1 job1_guard" target=(key=1 filled="$KEYS") ;;
        merge_big)    contenders="upsert job1 job2" target=(key=1 filled=$BIG_ROWS) ;;
        update)       contenders="update_from job1 job2" target=(key=1 filled="$KEYS") ;;
        *) die "there is no case $1" ;;
    esac
    case $1 in
        merge_big) topic=spread rows=$EVENTS ;;
        merge_* | update) topic=merges rows=$EVENTS ;;
    esac
}

# What create_job gets beyond name, source and target: job_arguments CASE CONTENDER
job_arguments() {
    local workers=${2#job} mode=insert options arguments
    workers=${workers%%_*}
    options="{\"workers\": $workers"
    # Default options, except that batches are as large as the opponent's.
    case $1 in
        merge_*) mode=merge ;;
        update) mode=update ;;
    esac
    if [ $mode != insert ]; then options+=", \"max_count\": $BATCH"; fi
    arguments="mode => '$mode', options => '$options}'"
    if [ $mode != insert ]; then arguments+=", match_columns => '{id}'"; fi
    case $2 in
        # The condition is never true: rows and their number stay those of the job without it.
        *_guard) arguments+=", order_columns => '{version}', delete_condition => 'status = ''erased'''" ;;
        # The expressions do not change these rows either.
        *_expressions)
            arguments+=", mapping => '{\"id\": \"id\", \"version\": \"version + id - id\",
              \"customer_id\": \"coalesce(customer_id, 0)\", \"sku\": \"upper(sku)\", \"quantity\": \"quantity::bigint\",
              \"price\": \"(price * 100) / 100\", \"status\": \"coalesce(status, ''none'')\",
              \"ordered_at\": \"ordered_at\", \"note\": \"note\"}'" ;;
    esac
    echo "$arguments"
}

# The same orders in each format, a topic for each, and their CSV in a file: make_form_topics ROWS
make_form_topics() {
    local form format schema
    psql_bench -v avro="$(cat orders.avsc)" -v proto="$(cat orders.proto)" -f orders_schemas.sql
    for form in csv json debezium avro protobuf; do
        format=$form schema=NULL
        case $form in
            debezium) format=debezium-json ;;
            avro) schema="'orders_avro'" ;;
            protobuf) schema="'orders_protobuf'" ;;
        esac
        say "producing $1 rows into the topic forms_$form"
        as_test_user kafkatool flood "forms_$form" --rows "$1" --partitions $PARTITIONS --format "$format" --file forms.csv >/dev/null
        psql_bench -c "CALL make_source('forms_${form}_src', 'orders_row', 'forms_$form', '$format', $schema)"
    done
}

# Makes what the cases need: topics, files, foreign tables, staging tables.
prepare_cases() {
    local needed=' ' topic rows target contenders
    for case in $CASES; do
        case_of "$case"
        if [[ $needed == *" $topic "* ]]; then continue; fi
        needed+="$topic "
        case $topic in
            inserts) make_topic inserts orders "$rows" --partitions $PARTITIONS ;;
            merges) make_topic merges orders "$rows" --partitions $PARTITIONS --keys "$KEYS" ;;
            forms) make_form_topics "$rows" ;;
            spread) make_topic spread orders "$rows" --partitions $PARTITIONS --keys "$KEYS" --stride $((BIG_ROWS / KEYS)) ;;
        esac
        if [ "$topic" != inserts ] && [ "$topic" != forms ]; then
            psql_bench -v staging="${topic}_staging" -v file="$work/$topic.csv" -f staging.sql
        fi
    done
}

# Runs all CASES, ROUNDS times; only CONTENDERS when they are named.
run_cases() {
    local topic rows target contenders
    for ((round = 1; round <= ROUNDS; round++)); do
        for case in $CASES; do
            case_of "$case"
            for name in $(in_order "$round" $contenders); do
                if [ -n "${CONTENDERS:-}" ] && [[ " $CONTENDERS " != *" $name "* ]]; then continue; fi
                if [ "$name" = python ] && [ -z "$PYTHON" ]; then continue; fi
                from=$topic
                if [ "$case" = formats ] && [ "$name" != copy ]; then from=${topic}_${name#*_}; fi
                run "$case" "$name" "$round" "$from" "$rows" "$(job_arguments "$case" "$name")" "${target[@]}"
            done
        done
    done
}
