# The extension, by PGXS. Sources are found by wildcard, so no list can drift from CMakeLists.txt.
MODULE_big = sluice
OBJS       = $(patsubst %.cpp,%.o,$(sort $(wildcard src/*/*.cpp)))
EXTENSION  = sluice
DATA       = $(sort $(wildcard sql/sluice--*.sql))

PG_CONFIG ?= pg_config

# PGXS would compile everything a second time for the JIT, with clang and in an older C++.
override with_llvm = no

# -isystem wins over the -I that PGXS adds for the same folders: the server's headers give no warnings.
PG_CPPFLAGS = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server) -isystem $(shell $(PG_CONFIG) --includedir) -MMD -MP
PG_CXXFLAGS = -std=c++20 -O2 -fvisibility=hidden -Wall -Wextra -Wno-register $(if $(filter true,$(CI)),-Werror)

# The version script hides what -fvisibility cannot: the standard library's templates that our files instantiate.
SHLIB_LINK  = -lrdkafka -lyaml -lsimdjson -lprotobuf -lcurl -lstdc++ -Wl,--version-script=src/exports.map

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(OBJS): module.mk
sluice.so: src/exports.map
-include $(OBJS:.o=.d)
