# Shortcuts to the scripts that do the work; `make` alone lists them.

ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test gateways guards soak fuzz lint lock sbom audit pictures bench million clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: ## install what is needed to run, and start the demo; ARGS="--fresh --port 9000"
	@scripts/demo.sh $(ARGS)

test: ## install what is needed to test, and run everything CI runs; ARGS="-k cancel" narrows, ARGS=--all leaves nothing to one database, BROWSER=0 needs no browser
	@scripts/test.sh $(ARGS)

gateways: ## run the tests of payments, the races, the crash points and the model at the stand-in for Stripe; ARGS="-k refund" narrows
	@scripts/gateways.sh $(ARGS)

guards: ## mutation testing: change the code, drop constraints, and show that a test fails; ARGS="allocations" narrows
	@scripts/guards.sh $(ARGS)

soak: ## let the model hunt for an hour, half of it on each database; ARGS="--minutes 5" is shorter
	@scripts/soak.sh $(ARGS)

fuzz: ## send every nasty text to every path, field and header, and generated calls to the API, for hours; PARTWAY_FUZZ=5000 tries a sample
	@scripts/fuzz.sh $(ARGS)

lint: ## only the checks that run no test
	@scripts/lint.sh

lock: ## pin the dependencies of pyproject.toml anew; ARGS="--upgrade" takes newer versions
	@scripts/lock.sh $(ARGS)

sbom: ## write build/partway.cdx.json, the CycloneDX list of what is installed to run Partway
	@scripts/sbom.sh

audit: ## look up the pinned dependencies in a database of known vulnerabilities; fails when it cannot be asked
	@scripts/audit.sh

pictures: ## retake the pictures of the README and the guides
	@scripts/pictures.sh

bench: ## measure the busiest acts on PostgreSQL beside a floor; ARGS="--invoices 10000" is quicker, ARGS=--save keeps the figures
	@scripts/bench.sh $(ARGS)

million: ## verify the books of a million payments on both databases, in half an hour; ARGS="--invoices 5000" is quick
	@scripts/million.sh $(ARGS)

clean: ## remove the environment and the tools' caches, never data
	@scripts/clean.sh
