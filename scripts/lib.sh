# Shell functions that the scripts share; sourced, after `set -euo pipefail`.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PG_CONFIG=${PG_CONFIG:-$(ls /usr/lib/postgresql/15/bin/pg_config 2>/dev/null || command -v pg_config || true)}
JOBS=${JOBS:-$(nproc)}

say() { printf '%s: %s\n' "${0##*/}" "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Everything that is fetched lies here, where the user who runs the tests can read it.
cache_dir() {
    if [ -n "${SLUICE_CACHE:-}" ]; then echo "$SLUICE_CACHE"
    elif [ "$(id -u)" = 0 ]; then echo /var/cache/sluice
    else echo "$HOME/.cache/sluice"; fi
}

# PostgreSQL refuses to run as root, so a root's tests run as the user that its package made.
test_user() {
    if [ "$(id -u)" != 0 ]; then id -un; return; fi
    id postgres >/dev/null 2>&1 || die "there is no user postgres to run the tests as; scripts/setup makes one"
    echo postgres
}

# Replaces this process by the command, as the test user; run it with & to get the command's own process id.
exec_as_test_user() {
    if [ "$(id -u)" = 0 ]; then exec setpriv --reuid="$(test_user)" --regid="$(id -g "$(test_user)")" --init-groups \
        env HOME="$PWD" USER="$(test_user)" LOGNAME="$(test_user)" "$@"; fi
    exec "$@"
}

as_test_user() { (exec_as_test_user "$@"); }

# Gives a tree that root has filled to the test user.
give_to_test_user() {
    if [ "$(id -u)" = 0 ]; then chown -R "$(test_user):" "$@"; fi
}

# Two neighbouring ports that nobody listens on, below the range from which outgoing connections are served.
free_port() {
    local port
    for _ in $(seq 200); do
        port=$((10000 + (RANDOM % 10000) * 2))
        if ! ss -Hltn "sport = :$port or sport = :$((port + 1))" | grep -q .; then echo "$port"; return; fi
    done
    die "found no free port"
}

# Ends a process that this script started: asked first, forced after ten seconds.
end_process() {
    local pid=$1
    kill "$pid" 2>/dev/null || return 0
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || { wait "$pid" 2>/dev/null || true; return 0; }
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

# Configures and builds the named targets of CMakeLists.txt in build/; no names build everything.
cmake_build() {
    local log=$ROOT/build/configure.log werror=OFF
    mkdir -p "$ROOT/build"
    if [ "${CI:-}" = true ]; then werror=ON; fi
    cmake -S "$ROOT" -B "$ROOT/build" -DSLUICE_WERROR=$werror >"$log" 2>&1 || { cat "$log" >&2; die "cmake failed"; }
    cmake --build "$ROOT/build" -j "$JOBS" ${1:+--target "$@"} -- --no-print-directory
}

# Installs the extension below a directory, not into the server: runs side by side do not meet, and nothing needs root.
# Prints the settings with which a server finds it.
stage_install() {
    local stage=$1
    make -s -C "$ROOT" -f module.mk PG_CONFIG="$PG_CONFIG" -j "$JOBS" all >&2
    make -s -C "$ROOT" -f module.mk PG_CONFIG="$PG_CONFIG" DESTDIR="$stage" install >"$stage.log" 2>&1 ||
        { cat "$stage.log" >&2; die "install failed"; }
    printf '%s\n' "extension_destdir = '$stage'" \
        "dynamic_library_path = '$stage$("$PG_CONFIG" --pkglibdir):\$libdir'"
}

# Fails when a server log tells of a crash. Tests that kill -9 on purpose leave "signal 9", which is not one.
check_server_logs() {
    local found
    found=$(find "$@" -name '*.log' -exec grep -nHE \
        'signal (4|6|7|8|11)\b|TRAP:|PANIC:|stack smashing|AddressSanitizer|ThreadSanitizer|runtime error:' {} + || true)
    if [ -n "$found" ]; then
        printf '%s\n' "$found" >&2
        printf 'A server crashed: see the lines above.\n' >&2
        return 1
    fi
}
