# basewatch: `make` builds build/basewatch; `make help` lists the rest.
#
# One build folder per mode, build/<mode>/, so that `make asan` leaves the release build alone:
#   release  what is installed         asan  AddressSanitizer and UBSan
#   cov      gcov counters             fuzz  libFuzzer, by clang
# CFLAGS, CPPFLAGS, LDFLAGS and LDLIBS are yours: they are added behind ours. WERROR=1 turns warnings into errors,
# V=1 shows the commands.

PREFIX       ?= /usr/local
DESTDIR      ?=
INSTALL      ?= install
FUZZ_CC      ?= clang
FUZZ_SECONDS ?= 30
CRASH_RUNS   ?= 1000

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
# The letters of make's own options come first, without a dash.
DRY_RUN := $(findstring n,$(filter-out -%,$(firstword $(MAKEFLAGS))))
MAKEFLAGS += --no-builtin-rules --no-print-directory
# As many jobs as there are processors, unless told otherwise.
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
Q := $(if $(V),,@)

# --- what the system has to bring -------------------------------------------------------------------------------

GOALS := $(or $(MAKECMDGOALS),all)

# Targets that install what they need first; the others only say what is missing.
GROUPS_deps  := build run test lint
GROUPS_run   := build run
GROUPS_check := build test
GROUPS_asan  := build test
GROUPS_crash := build test
GROUPS_lint  := build test lint
GROUPS_fuzz  := build lint
GROUPS_cov   := build test cov
GROUPS_bench := build test bench

INSTALL_GROUPS := $(sort $(foreach goal,$(GOALS),$(GROUPS_$(goal))))
CHECK_GROUPS   := $(if $(filter-out help clean uninstall format format-check,$(GOALS)),build) \
		  $(if $(filter unit golden docs,$(GOALS)),test)

# Before anything else is read or built, because the flags below come from pkg-config. Not in a dry run.
ifeq ($(DRY_RUN),)
ifneq ($(INSTALL_GROUPS),)
ifneq ($(shell contrib/deps.sh install $(INSTALL_GROUPS) && echo done),done)
$(error something that basewatch needs is missing, see above)
endif
else ifneq ($(strip $(CHECK_GROUPS)),)
ifneq ($(shell contrib/deps.sh check $(CHECK_GROUPS) && echo done),done)
$(error something that basewatch needs is missing, see above; `make deps` installs it)
endif
endif
endif

MODULES   := $(shell contrib/deps.sh modules | sed 's/ .*//')
PC_CFLAGS := $(shell pkg-config --cflags $(MODULES) 2>/dev/null)
PC_LIBS   := $(shell pkg-config --libs $(MODULES) 2>/dev/null)
MACHINE   := $(shell $(CC) -dumpmachine 2>/dev/null)
IS_CLANG  := $(findstring clang,$(shell $(CC) --version 2>/dev/null))

# --- flags ------------------------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wwrite-strings -Wcast-align -Wundef -Wvla -Wformat=2 \
	-Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion -Werror=implicit
WARNINGS_gcc := -Wlogical-op -Wduplicated-cond -Wduplicated-branches
ifneq ($(filter-out 0,$(WERROR)),)
WARNINGS += -Werror
endif

# clang 14 wants a second, temporary flag for trivial-auto-var-init=zero; only gcc gets it.
HARDENING := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
	$(if $(IS_CLANG),,-ftrivial-auto-var-init=zero) $(if $(filter x86_64%,$(MACHINE)),-fcf-protection=full)
LINKING := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed

BASE_CPPFLAGS := -D_GNU_SOURCE -Iinclude -Iwatcher -Itests $(PC_CFLAGS)
BASE_CFLAGS   := -std=gnu11 -g -fPIE -fno-common -fno-strict-aliasing $(WARNINGS)
SANITIZERS    := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

CC_release      := $(CC)
CFLAGS_release  := -O2 $(HARDENING) $(if $(IS_CLANG),,$(WARNINGS_gcc))
CC_asan         := $(CC)
CFLAGS_asan     := -O1 $(SANITIZERS)
LDFLAGS_asan    := $(SANITIZERS)
CC_cov          := $(CC)
CFLAGS_cov      := -O0 --coverage -fprofile-update=atomic
LDFLAGS_cov     := --coverage
CC_fuzz         := $(FUZZ_CC)
CFLAGS_fuzz     := -O1 $(SANITIZERS) -fsanitize=fuzzer-no-link
LDFLAGS_fuzz    := $(SANITIZERS)

# --- what there is ----------------------------------------------------------------------------------------------

SOURCES := $(sort $(wildcard watcher/*/*.c))
UNITS   := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
DRIVERS := $(patsubst tests/it/%.c,%,$(sort $(wildcard tests/it/*.c)))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
VERSION := $(shell sed -n 's/.*BW_VERSION "\(.*\)"/\1/p' include/core/version.h)

# --- how it is built --------------------------------------------------------------------------------------------

# rules(mode)
define rules
# Holds the command line of the last build; objects are made again when it changes (CC=, CFLAGS=, WERROR=).
build/$(1)/flags: FORCE
	@mkdir -p $$(@D)
	@echo '$$(CC_$(1)) $$(BASE_CPPFLAGS) $$(CPPFLAGS) $$(BASE_CFLAGS) $$(CFLAGS_$(1)) $$(CFLAGS)' >$$@.new
	@cmp -s $$@.new $$@ && rm $$@.new || mv $$@.new $$@

build/$(1)/%.o: %.c Makefile build/$(1)/flags
	@mkdir -p $$(@D)
	$(if $(V),,@echo '  CC    $(1) $$<')
	$$(Q)$$(CC_$(1)) $$(BASE_CPPFLAGS) $$(CPPFLAGS) $$(BASE_CFLAGS) $$(CFLAGS_$(1)) $$(CFLAGS) \
		-MMD -MP -c -o $$@ $$<

# Everything but main.o: the program and every test link it.
build/$(1)/libbasewatch.a: $(SOURCES:%.c=build/$(1)/%.o)
	@rm -f $$@ # and q, not r: two rooms may have files of the same name
	$$(Q)$$(AR) qcs $$@ $$^

build/$(1)/basewatch: build/$(1)/watcher/main.o build/$(1)/libbasewatch.a
	$(if $(V),,@echo '  LINK  $$@')
	$$(Q)$$(CC_$(1)) $$(LINKING) $$(LDFLAGS_$(1)) $$(LDFLAGS) -o $$@ $$^ $$(PC_LIBS) $$(LDLIBS)

build/$(1)/tests/unit/test_%: build/$(1)/tests/unit/test_%.o build/$(1)/libbasewatch.a
	$$(Q)$$(CC_$(1)) $$(LINKING) $$(LDFLAGS_$(1)) $$(LDFLAGS) -o $$@ $$^ -lcmocka $$(PC_LIBS) $$(LDLIBS)

# Programs that an end-to-end test starts, where no verb shows what it looks at.
build/$(1)/tests/it/%: build/$(1)/tests/it/%.o build/$(1)/libbasewatch.a
	$$(Q)$$(CC_$(1)) $$(LINKING) $$(LDFLAGS_$(1)) $$(LDFLAGS) -o $$@ $$^ $$(PC_LIBS) $$(LDLIBS)

# The fuzz targets without libFuzzer: they replay their seeds.
build/$(1)/tests/fuzz/replay_%: build/$(1)/tests/fuzz/fuzz_%.o build/$(1)/tests/fuzz/replay.o build/$(1)/libbasewatch.a
	$$(Q)$$(CC_$(1)) $$(LINKING) $$(LDFLAGS_$(1)) $$(LDFLAGS) -o $$@ $$^ $$(PC_LIBS) $$(LDLIBS)

.PHONY: tests-$(1)
tests-$(1): $(UNITS:%=build/$(1)/tests/unit/%) $(DRIVERS:%=build/$(1)/tests/it/%) \
	$(FUZZERS:%=build/$(1)/tests/fuzz/replay_%)
endef

MODES := release asan cov fuzz
$(foreach mode,$(MODES),$(eval $(call rules,$(mode))))

build/fuzz/fuzz_%: build/fuzz/tests/fuzz/fuzz_%.o build/fuzz/libbasewatch.a
	$(Q)$(CC_fuzz) $(LDFLAGS_fuzz) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ $(PC_LIBS) $(LDLIBS)

# What the speed of the program is measured against, libcurl alone, and what measures.
BENCH := $(addprefix build/release/tests/bench/,floor usage poll seed)
build/release/tests/bench/poll build/release/tests/bench/seed: build/release/libbasewatch.a
$(BENCH): %: %.o
	$(Q)$(CC_release) $(LINKING) $(LDFLAGS) -o $@ $^ $(PC_LIBS) $(LDLIBS)

build/basewatch: build/release/basewatch
	@ln -f $< $@ 2>/dev/null || cp $< $@

.SECONDARY:
.PHONY: FORCE
FORCE:

-include $(wildcard $(foreach mode,$(MODES),build/$(mode)/watcher/*.d build/$(mode)/watcher/*/*.d \
	build/$(mode)/tests/*/*.d))

# --- targets ----------------------------------------------------------------------------------------------------

.PHONY: all deps run unit check asan crash fuzz bench lint format format-check cov golden docs install uninstall clean help

all: build/basewatch ## build the program: build/basewatch

deps: ## install the Debian packages that building, running and testing need (only what is missing)
	@echo "Nothing is missing."

run: build/basewatch ## a demonstration on a local registry; DIR=path: check your own build files
ifdef DIR
	@build/basewatch check --db build/run.db "$$DIR"; [ $$? -le 2 ]
else
	@contrib/demo.sh build/basewatch
endif

unit: tests-release ## unit tests and replay of the fuzz seeds
	@tests/run.sh release unit replay

check: build/basewatch tests-release ## all tests: unit, structure of the source, end to end
	@tests/run.sh release unit replay structure it

asan: build/asan/basewatch tests-asan ## the same tests under AddressSanitizer and UBSan
	@tests/run.sh asan unit replay it

crash: build/basewatch ## kill -9 at CRASH_RUNS (1000) random points, then look whether anything was lost
	@CRASH_RUNS=$(CRASH_RUNS) BASEWATCH=$(CURDIR)/build/basewatch tests/crash/run.sh

fuzz: $(FUZZERS:%=build/fuzz/fuzz_%) ## libFuzzer, FUZZ_SECONDS (30) for each target
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run.sh $(FUZZERS)

bench: build/basewatch $(BENCH) ## measure against the floors
	@tests/bench/run.sh build/basewatch $(BENCH)

lint: build/basewatch ## clang-tidy, cppcheck, gcc -fanalyzer, format, shellcheck, the systemd unit
	@tests/lint.sh

format: ## format the C sources in place
	@find watcher include tests -name '*.[ch]' | xargs clang-format -i

format-check: ## say which C sources are not formatted
	@tests/lint.sh format

cov: build/cov/basewatch tests-cov ## line coverage of watcher/, at least 85 %
	@find build/cov -name '*.gcda' -delete
	@status=0; tests/run.sh cov unit replay it || status=1; \
	gcovr --root . --filter watcher/ --object-directory build/cov --fail-under-line 85 --sort-percentage \
		--exclude-unreachable-branches --print-summary --txt build/cov/coverage.txt || status=1; \
	echo "by file: build/cov/coverage.txt"; exit $$status

golden: build/basewatch tests-release ## write the expected outputs in tests/golden/ anew; review the difference
	@UPDATE_GOLDEN=1 tests/run.sh release golden

docs: build/release/tests/unit/test_docs ## write sample, JSON Schema and manual of the configuration from its key table
	@UPDATE_GOLDEN=1 $< >/dev/null 2>&1 || { $<; exit 1; }

install: build/basewatch ## install below PREFIX (/usr/local), honours DESTDIR
	$(INSTALL) -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/basewatch"
	$(INSTALL) -m 755 build/basewatch "$(DESTDIR)$(PREFIX)/bin/basewatch"
	@set -e; $(call for_each_file,$(INSTALL) -d "$$(dirname "$$to")"; $(INSTALL) -m 644 "$$from" "$$to"; echo "$$to")
	$(INSTALL) -d "$(DESTDIR)$(PREFIX)/lib/systemd/system"
	sed 's|/usr/local/bin|$(PREFIX)/bin|' contrib/systemd/basewatch.service >build/basewatch.service
	$(INSTALL) -m 644 build/basewatch.service "$(DESTDIR)$(PREFIX)/lib/systemd/system/basewatch.service"

uninstall: ## remove what install put there
	rm -f "$(DESTDIR)$(PREFIX)/bin/basewatch" "$(DESTDIR)$(PREFIX)/lib/systemd/system/basewatch.service"
	@$(call for_each_file,rm -f "$$to")
	-@rmdir "$(DESTDIR)$(PREFIX)/share/basewatch" 2>/dev/null

# Data files as "from=to below share/".
DATA := $(foreach f,$(wildcard config/*.schema.json),$(f)=basewatch/$(notdir $(f))) \
	$(foreach f,$(wildcard config/basewatch.yaml),$(f)=basewatch/$(notdir $(f))) \
	$(foreach f,$(wildcard contrib/man/*.1),$(f)=man/man1/$(notdir $(f))) \
	$(foreach f,$(wildcard contrib/man/*.5),$(f)=man/man5/$(notdir $(f))) \
	$(foreach f,$(wildcard contrib/completions/basewatch.bash),$(f)=bash-completion/completions/basewatch) \
	$(foreach f,$(wildcard contrib/completions/basewatch.zsh),$(f)=zsh/site-functions/_basewatch) \
	$(foreach f,$(wildcard contrib/completions/basewatch.fish),$(f)=fish/vendor_completions.d/basewatch.fish)

# for_each_file(shell commands on $from and $to)
for_each_file = for pair in $(DATA); do from=$${pair%%=*}; to="$(DESTDIR)$(PREFIX)/share/$${pair\#*=}"; $(1); done

clean: ## remove build/
	rm -rf build

help: ## this list
	@echo "basewatch $(VERSION)"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18
