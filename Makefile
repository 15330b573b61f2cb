# plume: `make` lists what there is to make.

GO ?= go
ARGS ?=
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

SHELL := /bin/sh
.SHELLFLAGS := -ec
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help setup build train test race lint bench clean

# Shell functions for the recipes. have_openblas succeeds if cgo can compile, link and run a
# program that calls OpenBLAS; then `tags` selects it, and otherwise cgo stays off.
define functions
have_openblas() {
	[ "$$($(GO) env CGO_ENABLED)" = 1 ] || return 1
	probe=$$(mktemp -d) || return 1
	printf '%s\n' \
		'void cblas_sscal(int n, float alpha, float *x, int inc);' \
		'char *openblas_get_corename(void);' \
		'int main(void) { float x = 1; cblas_sscal(1, 2, &x, 1); return x != 2 || !*openblas_get_corename(); }' \
		> "$$probe/probe.c"
	$$($(GO) env CC) -o "$$probe/probe" "$$probe/probe.c" -lopenblas > "$$probe/log" 2>&1 &&
		"$$probe/probe" && found=0 || found=1
	rm -rf "$$probe"
	return $$found
}
choose_backend() {
	if have_openblas; then tags='-tags openblas'; else tags=''; export CGO_ENABLED=0; fi
}
install_openblas() {
	command -v apt-get > /dev/null || return 1
	if [ "$$(id -u)" = 0 ]; then as_root=''; elif sudo -n true 2> /dev/null; then as_root='sudo -n'; else return 1; fi
	echo 'Installing libopenblas-dev ...' >&2
	$$as_root apt-get update -q < /dev/null >&2 || true
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y libopenblas-dev < /dev/null >&2
}
endef

help: ## list the targets
	@echo 'usage: make TARGET [ARGS="..."]'
	awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s  %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## install OpenBLAS if it is missing and root or passwordless sudo allows it
	@$(functions)
	command -v $(GO) > /dev/null || { echo 'Go is missing: see https://go.dev/dl' >&2; exit 1; }
	if [ "$$CGO_ENABLED" = 0 ]; then
		echo 'CGO_ENABLED=0: building the pure Go backend, which is 10 to 25 times slower.' >&2
		exit
	fi
	have_openblas && exit
	install_openblas && have_openblas && exit
	printf '%s\n' >&2 \
		'********************************************************************************' \
		'  OpenBLAS is missing and could not be installed: building the pure Go backend,' \
		'  which is 10 to 25 times slower. To fix it:' \
		'      sudo apt-get install libopenblas-dev && make build' \
		'  (and gcc and libc6-dev, if there is no C compiler)' \
		'********************************************************************************'

build: setup ## build bin/plume, with OpenBLAS where it is installed
	@$(functions)
	choose_backend
	vcs=false
	if git rev-parse -q --verify HEAD > /dev/null 2>&1; then vcs=true; fi
	$(GO) build -buildvcs=$$vcs $$tags -o bin/plume ./cmd/plume

train: build ## train ipld on Fashion-MNIST; ARGS="--epochs 1 --out DIR" passes flags on
	@exec bin/plume train $(ARGS)

test: setup ## run every test, with OpenBLAS (where it is installed) and in pure Go
	@$(functions)
	choose_backend
	if [ -n "$$tags" ]; then $(GO) test $$tags ./...; fi
	export CGO_ENABLED=0
	$(GO) build ./...
	$(GO) test ./...

race: setup ## run the tests under the race detector
	@$(functions)
	choose_backend
	CGO_ENABLED=1 $(GO) test -race $$tags ./...

lint: ## check format, go vet (both backends, amd64 and arm64) and staticcheck
	@$(functions)
	choose_backend
	bad=$$(gofmt -l .)
	if [ -n "$$bad" ]; then echo "not gofmt-ed: $$bad" >&2; exit 1; fi
	if [ -n "$$tags" ]; then $(GO) vet $$tags ./...; fi
	CGO_ENABLED=0 $(GO) vet ./...
	GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./...
	$(GO) run $(STATICCHECK) $$tags ./...

bench: setup ## run the benchmarks on the BLAS core that suits the CPU
	@$(functions)
	choose_backend
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(GO) test -run '^$$' -bench . -benchmem $$tags ./...

clean: ## remove what build made; runs stay
	@rm -rf bin
