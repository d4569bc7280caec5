# Shell functions that the scripts share; sourced, after `set -euo pipefail`.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PG_CONFIG=${PG_CONFIG:-$(ls /usr/lib/postgresql/15/bin/pg_config 2>/dev/null || command -v pg_config || true)}
JOBS=${JOBS:-$(nproc)}
# A make that calls these scripts must not hand its own flags to the makes that they call.
unset MAKEFLAGS MFLAGS MAKELEVEL

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
    perl -MIO::Socket::INET -e '
        for (1 .. 200) {
            my $port = 10000 + 2 * int rand 10000;
            my @open = map { IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $_, Listen => 1) } $port, $port + 1;
            if (2 == grep { defined } @open) { print "$port\n"; exit }
        }
        die "found no free port\n"'
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

# Runs of several tests at the same time share the build directories; only one at a time may write there.
one_at_a_time() {
    mkdir -p "$ROOT/build"
    flock "$ROOT/build/lock" "$@"
}

# Prints the directory of the jars that a pom names; fetches them through Maven when they are missing:
# jars_of POM NAME WHAT, where NAME changes with the versions and WHAT is for people.
jars_of() (
    cache=$(cache_dir)
    libs=$cache/$2
    if [ ! -d "$libs" ]; then
        mkdir -p "$cache"
        chmod a+rx "$cache"
        fetched=$(mktemp -d "$cache/fetching.XXXXXX")
        trap 'rm -rf "$fetched"' EXIT
        say "fetching $3, once, into $libs" >&2
        # A copy of the pom: Maven writes next to it, and the checkout may be read-only.
        cp "$1" "$fetched/pom.xml"
        mvn -q -B -Dstyle.color=never -f "$fetched/pom.xml" -Dmaven.repo.local="$cache/maven" \
            dependency:copy-dependencies -DoutputDirectory="$fetched/libs" >&2 ||
            die "Maven could not fetch $3: it needs its central repository, or a mirror in ~/.m2/settings.xml"
        chmod -R a+rX "$fetched/libs"
        # mv is atomic, so a second run at the same time sees all jars or none; the loser's copy is dropped.
        mv -T "$fetched/libs" "$libs" 2>/dev/null || [ -d "$libs" ]
    fi
    echo "$libs"
)

# Configures and builds a directory with CMake: cmake_build_in DIR [cmake argument]... [-- target...]
cmake_build_in() {
    local dir=$1 arguments=() werror=OFF
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do arguments+=("$1"); shift; done
    if [ $# -gt 0 ]; then shift; fi
    if [ "${CI:-}" = true ]; then werror=ON; fi
    mkdir -p "$dir"
    one_at_a_time cmake -S "$ROOT" -B "$dir" -DSLUICE_WERROR=$werror "${arguments[@]}" >"$dir/configure.log" 2>&1 ||
        { cat "$dir/configure.log" >&2; die "cmake failed"; }
    one_at_a_time cmake --build "$dir" -j "$JOBS" ${1:+--target "$@"} -- --no-print-directory -s
}

# Builds the named targets of CMakeLists.txt in build/; no names build everything.
cmake_build() { cmake_build_in "$ROOT/build" -- "$@"; }

# Builds the unit tests with sanitizers in a directory of their own and runs them.
unit_tests_with() {
    local sanitizers=$1 dir=$ROOT/build/$2
    shift 2
    cmake_build_in "$dir" -DSLUICE_SANITIZE="$sanitizers"
    ctest --test-dir "$dir" --output-on-failure --no-tests=error -j "$JOBS" --progress "$@"
}

# Builds the extension where it stands.
stage_build() {
    one_at_a_time make -s -C "$ROOT" -f module.mk PG_CONFIG="$PG_CONFIG" -j "$JOBS" all
}

# Installs the extension below a directory, not into the server: runs side by side do not meet, and nothing needs root.
# Prints the settings with which a server finds it.
stage_install() {
    local stage=$1
    stage_build >&2
    one_at_a_time make -s -C "$ROOT" -f module.mk PG_CONFIG="$PG_CONFIG" DESTDIR="$stage" install >"$stage.log" 2>&1 ||
        { cat "$stage.log" >&2; die "install failed"; }
    # Debian's servers before 18 have a setting of their own for this.
    if [ "$("$PG_CONFIG" --version | grep -oE '[0-9]+' | head -1)" -ge 18 ]; then
        echo "extension_control_path = '$stage$("$PG_CONFIG" --sharedir):\$system'"
    else
        echo "extension_destdir = '$stage'"
    fi
    printf '%s\n' "dynamic_library_path = '$stage$("$PG_CONFIG" --pkglibdir):\$libdir'"
}

# All C++ files, each ended by a NUL.
cxx_files() { find "$ROOT/src" "$ROOT/test" "$ROOT/bench" \( -name '*.cpp' -o -name '*.hpp' \) -print0 2>/dev/null; }

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
