# The project's verbs. Everything here needs Go, git and make; what else a verb needs, it says.

# The race detector needs a C compiler. Without one, all tests run without the detector. It does not watch the inside of
# SQLite, which is C turned into Go and starts no goroutines: the tests of pages take a seventh less of a processor.
ifeq ($(shell command -v $$(go env CC) 2>/dev/null),)
export CGO_ENABLED = 0
DETECTOR =
else
DETECTOR = -race -gcflags=modernc.org/sqlite/lib=-race=false
endif

# Tests that -short skips, because the race detector would slow or distort them: whole processes, compilers, measurements, long work of few goroutines.
# "make test RACE=1" runs them without it, and each other test with it. internal/archtest holds this list against the tests.
PLAIN = TestACME TestAllRestored TestAnAuctionOverBlocks TestAuctionInProgress TestAuctionOverSeveralBlocks TestAwayFromAStandingLedger TestBadLinks TestBatchIndependence TestCity TestClock TestCompose TestCopyOfAValidator TestCutAtStart TestDamage TestDay TestDisks TestEveryPage TestExamples TestFourValidators TestGrowth TestHonestDay TestJoinedLog TestKillValidators TestKills TestLedgerAgainstRule TestLimitOfADay TestMatchOfALongAuction TestModeNet TestOverload TestPackedLog TestPackedSegment TestPartitions TestPowerCuts TestPowerCutsWhileGettingHistory TestPowerCutsWhilePacking TestPowerCutsWhileRepairing TestPrunedIndex TestPrunedSince TestRecordOfLargeBlock TestRepairDamage TestRepairFrames TestRepairJoined TestRepairPruned TestRestoredBackup TestRulesSpeed TestSameSeed TestScripts TestSurvivor TestThreeOfFourStop TestTown TestTownInBrowser
PLAIN_PACKAGES = ./cmd/lockstep ./internal/agent/runner ./internal/bench ./internal/chain ./internal/doctest ./internal/index ./internal/mutate ./internal/netlab ./internal/node ./internal/outcomes ./internal/page ./internal/query ./internal/sim ./internal/sim/study ./internal/store

# Packages that start no goroutine and guard nothing against one: the rules, above all. The detector finds nothing there and takes five to ten times as long,
# so "make test RACE=1" runs all of their tests without it. internal/archtest looks at their code.
SEQUENTIAL = ./internal/game ./internal/game/explore ./internal/ledger ./internal/strategy ./market ./meter ./trade ./types

# Linters have a module of their own, so that what they need is no part of ours.
LINT = go tool -modfile=tools/go.mod golangci-lint
LINT_PROGRAM = go tool -modfile=tools/go.mod -n golangci-lint

# Random tests draw the same cases in each run, so that a red run tells of the change. Others: make test RAPID_SEED=0
export RAPID_SEED ?= 1

# The release tool is pinned, and run rather than required: it has some hundred modules, none of which is ours.
GORELEASER = v2.16.0

TIMEOUT  ?= 10m
FUZZTIME ?= 10s
BENCH    ?= .
MUTANT_SEED ?= 1

.PHONY: help
help: ## what there is (this list)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: build ## a community trades on a ledger of its own, and you watch
	bin/lockstep demo

.PHONY: build
build: ## bin/lockstep
	@if [ -e bin/lockstep ]; then echo "Compiling what has changed, which takes some seconds."; \
	else echo "Compiling: the first build takes about two minutes, later ones some seconds."; fi
	go build -trimpath -o bin/lockstep ./cmd/lockstep

# The linters vet the code, so that RACE=1 does not.
.PHONY: test
test: ## all tests; with RACE=1 each of them once, under the race detector where it can
ifdef RACE
	@if [ -z "$(DETECTOR)" ]; then echo "no C compiler: the tests run without the race detector"; fi
	go test $(DETECTOR) -vet=off -short -timeout $(TIMEOUT) $$(go list ./... | grep -vxF "$$(go list $(SEQUENTIAL))")
	go test -vet=off -timeout $(TIMEOUT) $(SEQUENTIAL)
	go test -vet=off -timeout $(TIMEOUT) -run '^($(subst $(eval ) ,|,$(PLAIN)))$$' $(PLAIN_PACKAGES)
else
	go test -timeout $(TIMEOUT) ./...
endif

.PHONY: race
race: ## the long tests of benchmarks, storage, ledger and town under the race detector too (ten to fifteen minutes; needs a C compiler)
	@if [ -z "$(DETECTOR)" ]; then echo "the race detector needs a C compiler: install gcc" >&2; exit 1; fi
	go test $(DETECTOR) -timeout 30m ./internal/bench ./internal/index ./internal/ledger ./internal/outcomes ./internal/query ./internal/sim ./internal/sim/study ./internal/store

.PHONY: check
check: format lint lint-selftest tidy ## all that a change must pass: format, linters (vet among them), go.mod, make test RACE=1
	$(MAKE) test RACE=1

.PHONY: format
format: ## is everything in gofmt's form?
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then \
		echo "not in gofmt's form; run gofmt -w on:"; echo "$$unformatted"; exit 1; fi

.PHONY: lint
lint: ## the linters of .golangci.yml (the first run builds them: some minutes)
	$(LINT) run

.PHONY: lint-selftest
lint-selftest: ## do the linters' import, globals and init rules report a sample of each breach?
	LOCKSTEP_LINTER=$$($(LINT_PROGRAM)) go test -count=1 -run '^TestLinterRules$$' ./internal/archtest

.PHONY: tidy
tidy: ## are go.mod and go.sum what go mod tidy would write?
	go mod tidy -diff

.PHONY: bench
bench: ## all benchmarks; BENCH=Decode for some
	go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m ./...

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME, 10s unless told
	@set -e; grep -rn --include='*_test.go' -oE '^func Fuzz[A-Za-z0-9_]*' . | sed -E 's/^(.*)\/[^\/]*:[0-9]+:func (.*)$$/\1 \2/' | sort | \
	while read -r folder target; do \
		echo "== $$folder $$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$folder"; \
	done

.PHONY: kills
kills: ## lose agents thousands of times, and kill them, their node and their broker for some minutes (about half an hour)
	go test ./internal/agent/runner -run 'Crash' -crashes 60 -timeout 60m
	go test ./internal/agent/runner -run TestKills -kill 5m -timeout 20m

# Tags build nodes that a test can let cheat, or whose clock it can set.
.PHONY: test-net
test-net: ## every fault of a network, with 4 and 7 validators as processes in network namespaces (Linux, root; half an hour)
	go test -tags 'vice clockshift' -count=1 -timeout 60m ./internal/netlab -long

.PHONY: test-net-short
test-net-short: ## validators that cheat and wrong clocks, in network namespaces (Linux, root; a minute)
	go test -tags 'vice clockshift' -count=1 -run 'TestVices|TestTwins|TestFlood|TestClocks' ./internal/netlab

.PHONY: pages
pages: ## look at each page in a browser at four widths, in both languages, light and dark (some minutes; needs chromium)
	LOCKSTEP_PAGES=all go test ./internal/page -run '^(TestEveryPage|TestAxe)$$' -count=1 -timeout 30m

.PHONY: mutants
mutants: ## change each rule of a trade and switch off each rule of the ledger; tests and explorer must notice (up to an hour)
	go run ./internal/mutate
	LOCKSTEP_MUTANTS=all go test -run Mutants -v -timeout 30m ./internal/game/explore

.PHONY: man
man: build ## bin/man: a manual page for each command
	rm -rf bin/man
	bin/lockstep man --dir bin/man

.PHONY: screenshots
screenshots: ## docs/images/page/sheets: each page, wide and narrow, light and dark, in both languages (some minutes; needs chromium and a Chinese font)
	LOCKSTEP_PICTURES=$(CURDIR)/docs/images/page go test ./internal/page -run '^TestPictures$$' -count=1 -timeout 60m
	LOCKSTEP_PICTURES=$(CURDIR)/docs/images/page go test ./internal/sim -run '^TestTownInBrowser$$' -count=1

.PHONY: completions
completions: build ## bin/completions: scripts for bash, zsh and fish
	mkdir -p bin/completions
	for shell in bash zsh fish; do bin/lockstep completion $$shell > bin/completions/lockstep.$$shell || exit 1; done

.PHONY: release-snapshot
release-snapshot: ## dist/: static programs for Linux, macOS and Windows, as archives (the first run builds the tool: some minutes)
	go run github.com/goreleaser/goreleaser/v2@$(GORELEASER) release --snapshot --clean
# The sample is the same in each run, like the cases of random tests.
.PHONY: mutant-sample
mutant-sample: ## 20 of the changes to the rules of a trade, drawn by MUTANT_SEED (about a minute)
	go run ./internal/mutate -sample 20 -seed $(MUTANT_SEED)

.PHONY: notice
notice: ## NOTICE and LICENSES.txt: the modules that the program links, with their licences
	go test ./internal/archtest -run '^TestNotice$$' -update

.PHONY: cover
cover: ## how much of the code the tests reach: cover.out, and a line for each function
	go test -timeout $(TIMEOUT) -coverpkg=./... -coverprofile=cover.out ./...
	go tool cover -func=cover.out
