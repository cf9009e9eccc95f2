#!/bin/sh
# Runs the exporter for every database cluster of a CRM that runs on this host, and anew whenever these are others: an upgrade makes one.
# Arguments: the first port that such a cluster has, and the one after the last; then what the exporter is started with.
set -u
first=$1 end=$2
shift 2

sources() {
    comma=
    for socket in /run/postgresql/.s.PGSQL.*; do
        port=${socket##*.}
        case $port in *[!0-9]*) continue ;; esac
        if [ "$port" -ge "$first" ] && [ "$port" -lt "$end" ]; then
            printf '%suser=crm_metrics host=/run/postgresql port=%s dbname=postgres sslmode=disable' "$comma" "$port"
            comma=,
        fi
    done
}

# Debian's exporter has collectors that ask one cluster only, and fails for all where there are several: whatever collectors it knows
# are left out. What asks every cluster, and says of which an answer is, are its older queries and those of the file.
collectors=$("$1" --help 2>&1 | sed -n 's/^ *--\(\[no-\]\)\{0,1\}\(collector\.[a-z_]*\) .*/--no-\2/p')
queries=${0%/*}/postgres_queries.yml

known='' exporter=''
trap '[ -z "$exporter" ] || kill "$exporter"; exit 0' TERM INT
while :; do
    found=$(sources)
    if [ "$found" != "$known" ]; then
        if [ -n "$exporter" ]; then
            kill "$exporter"
            wait "$exporter"
        fi
        known=$found exporter=''
        if [ -n "$found" ]; then
            # shellcheck disable=SC2086 # each is a word
            DATA_SOURCE_NAME=$found "$@" $collectors --extend.query-path="$queries" &
            exporter=$!
        fi
    fi
    if [ -n "$exporter" ] && ! kill -0 "$exporter" 2>/dev/null; then
        exit 1
    fi
    sleep 5 &
    wait $!
done
