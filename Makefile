# The front door: works where nothing but git and make is installed. scripts/setup installs what is missing first;
# SETUP=no skips that. The extension itself is built by module.mk (PGXS), floors 0-3 and their tests by CMakeLists.txt.
PG_CONFIG ?= $(firstword $(wildcard /usr/lib/postgresql/15/bin/pg_config) pg_config)
export PG_CONFIG

MODULE := all install uninstall
TASKS  := demo check unit regress tap fuzz asan tsan bench bench-quick bench-latency bench-scale bench-shapes bench-peers bench-formats format lint

.DEFAULT_GOAL := all
.PHONY: setup clean $(MODULE) $(TASKS)

# Asking dpkg takes 65 ms, so there is no stamp file that could go stale.
setup:
ifneq ($(SETUP),no)
	@scripts/setup
endif

$(filter-out uninstall,$(MODULE)) $(TASKS): setup

# The lock: two runs side by side would write the same objects.
$(MODULE):
	@mkdir -p build
	@flock build/lock $(MAKE) --no-print-directory -f module.mk PG_CONFIG="$(PG_CONFIG)" $@

$(TASKS):
	@scripts/$@

# Not PGXS's: it must work without a server's headers.
clean:
	@rm -rf build sluice.so results regression.diffs regression.out
	@rm -f src/*/*.o src/*/*.d
