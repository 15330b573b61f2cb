# plume: `make` lists what there is to make.

GO ?= go
ARGS ?=
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

SHELL := /bin/sh
.SHELLFLAGS := -ec
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help setup build train test test-openblas test-paths setup-mpi build-mpi test-mpi bench-mpi test-python browser test-pages venv test-kill release test-release test-deploy race fuzz fuzz-readers soak quality accuracy lint gen bench bench-baseline bench-diff bench-kernels bench-steps bench-quality study-tables study-precision clean

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
apt_install() {
	command -v apt-get > /dev/null || return 1
	if [ "$$(id -u)" = 0 ]; then as_root=''; elif sudo -n true 2> /dev/null; then as_root='sudo -n'; else return 1; fi
	echo "Installing $$1 ..." >&2
	$$as_root apt-get update -q < /dev/null >&2 || true
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y "$$1" < /dev/null >&2
}
# Builds by MPI's compiler, which knows where its library is. The build cache knows a compiler by its
# name, and would take what was linked with another library: a macro tells them apart.
use_mpi() {
	shown=$$("$$1" -show | cksum)
	CC=$$1 CGO_ENABLED=1 CGO_CFLAGS="-O2 -g -DPLUME_MPI=$${shown%% *}"
	export CC CGO_ENABLED CGO_CFLAGS
}
endef

# MPI's compiler: mpicc, or that of a library beside it, as mpicc.openmpi and mpicc.mpich on Debian.
MPICC ?= mpicc

help: ## list the targets
	@echo 'usage: make TARGET [ARGS="..."]'
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s  %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## install OpenBLAS if it is missing and root or passwordless sudo allows it
	@$(functions)
	command -v $(GO) > /dev/null || { echo 'Go is missing: see https://go.dev/dl' >&2; exit 1; }
	if [ "$$CGO_ENABLED" = 0 ]; then
		echo 'CGO_ENABLED=0: building without OpenBLAS.' >&2
		exit
	fi
	have_openblas && exit
	apt_install libopenblas-dev && have_openblas && exit
	printf '%s\n' >&2 \
		'OpenBLAS is missing and could not be installed: building without it. plume multiplies matrices itself,' \
		'as fast with AVX2 and faster with AVX-512 (bin/plume info tells what the CPU has). To have both:' \
		'    sudo apt-get install libopenblas-dev && make build' \
		'(and gcc and libc6-dev, if there is no C compiler)'

build: setup ## build bin/plume, with OpenBLAS where it is installed
	@$(functions)
	choose_backend
	vcs=false
	if git rev-parse -q --verify HEAD > /dev/null 2>&1; then vcs=true; fi
	$(GO) build -buildvcs=$$vcs $$tags -o bin/plume ./cmd/plume

train: build ## train ipld on Fashion-MNIST; ARGS="--epochs 1 --out DIR" passes flags on
	@exec bin/plume train $(ARGS)

# What the build with OpenBLAS can do wrong: the packages whose tests choose among backends
# (TestBackendPackages in trainer), and the scripts of the command that do.
backend_packages = ./bench/... ./blas ./trainer/classify ./trainer/generate ./trainer/layer \
	./trainer/machine ./trainer/method ./trainer/model ./trainer/pca
backend_scripts = ChooseBLAS|AddressSpace|TestScripts/^(blas|info)$$

test: setup ## run every test without cgo, and those of products with OpenBLAS too, where it is installed
	@$(functions)
	choose_backend
	if [ -n "$$tags" ]; then
		$(GO) test $$tags $(backend_packages)
		$(GO) test $$tags ./cmd/plume -run '$(backend_scripts)'
	fi
	export CGO_ENABLED=0
	$(GO) build ./...
	$(GO) test ./...

test-openblas: setup ## run every test in the build with OpenBLAS
	@$(functions)
	have_openblas || { echo 'OpenBLAS is missing: make setup says how to install it' >&2; exit 1; }
	$(GO) test -tags openblas ./...

setup-mpi:
	@$(functions)
	command -v $(MPICC) > /dev/null && exit
	case $(MPICC) in *mpich) packages='mpich libmpich-dev' ;; *) packages='openmpi-bin libopenmpi-dev' ;; esac
	for package in $$packages; do
		apt_install $$package || { echo "$(MPICC) is missing and could not be installed: sudo apt-get install $$packages" >&2; exit 1; }
	done

build-mpi: setup-mpi ## build bin/plume-mpi, the command for several machines, with MPI (installed if it is missing); MPICC=mpicc.mpich for another
	@$(functions)
	use_mpi $(MPICC)
	vcs=false
	if git rev-parse -q --verify HEAD > /dev/null 2>&1; then vcs=true; fi
	$(GO) build -buildvcs=$$vcs -tags mpi -o bin/plume-mpi ./cmd/plume

test-mpi: setup-mpi ## test ranks under mpirun: exchanges, exit codes, signals, dead and silent ranks, and namespaces at 1 Gbit/s (as root); MPICC as above
	@$(functions)
	use_mpi $(MPICC)
	$(GO) vet -tags mpi ./trainer/comm/... ./cmd/plume
	export PLUME_REQUIRE_MPI=1
	$(GO) test -tags mpi -count=1 -v ./trainer/comm/mpi
	$(GO) test -tags mpi -count=1 -v ./cmd/plume -run 'OnRanks|RanksRefused'

bench-mpi: setup-mpi ## measure sums over 2 and 4 ranks: shared memory, TCP, and namespaces at 1 Gbit/s (as root); fit the model of trainer/comm/MODEL.md
	@$(functions)
	use_mpi $(MPICC)
	PLUME_REQUIRE_MPI=1 $(GO) test -tags mpi -count=1 -v -timeout 60m ./trainer/comm/mpi -run '^TestMeasure$$' -args -measure

# The packages of a training step; the others only see what these compute.
PATHS ?= ./trainer/diffusion ./trainer/layer ./trainer/likelihood ./trainer/method ./trainer/model \
	./trainer/optim ./trainer/particle ./trainer/prior

test-paths: build ## run the tests of training steps on every kernel path (PATHS=./trainer/... for all); NEON under qemu, installed if it is missing
	@$(functions)
	choose_backend
	arch=$$($(GO) env GOARCH)
	usual=$$(bin/plume info | awk '$$1 == "kernels" { print $$2 }')
	for path in generic $$(ls asm/*/product_$$arch.s | cut -d / -f 2); do
		if ! PLUME_KERNEL=$$path bin/plume info > /dev/null 2>&1; then
			echo "This CPU does not have the kernel path $$path: it is not tested here." >&2
			continue
		fi
		echo "kernel path $$path"
		export PLUME_KERNEL=$$path PLUME_REQUIRE_KERNEL=$$path
		if [ $$path = "$$usual" ]; then # make test has used it, for all else
			$(GO) test -count=1 $$tags ./kernel ./blas
		elif [ $$path = generic ] || [ -e kernel/path_$${path}_$$arch.go ]; then
			$(GO) test -count=1 $$tags ./kernel ./blas $(PATHS)
		else # an extension, for products in bf16 alone
			$(GO) test -count=1 $$tags ./kernel ./blas
			$(GO) test -count=1 $$tags ./trainer/method -run Precision
		fi
	done
	unset PLUME_KERNEL PLUME_REQUIRE_KERNEL
	if [ "$$($(GO) env GOARCH)" = arm64 ]; then exit; fi
	command -v qemu-aarch64-static > /dev/null || apt_install qemu-user-static || {
		echo 'qemu-aarch64-static is missing and could not be installed: sudo apt-get install qemu-user-static' >&2; exit 1; }
	echo 'kernel path neon, under qemu'
	export GOARCH=arm64 CGO_ENABLED=0 PLUME_KERNEL=neon PLUME_REQUIRE_KERNEL=neon
	$(GO) test -short -count=1 -exec qemu-aarch64-static ./kernel ./blas ./trainer/optim ./trainer/model ./trainer/diffusion ./trainer/particle
	echo 'trainings under neon: the same bits as on this CPU'
	dir=$$(mktemp -d)
	trap 'rm -rf "$$dir"' EXIT
	$(GO) build -trimpath -ldflags='-s -w' -o "$$dir/plume" ./cmd/plume # as in a release
	awk 'BEGIN { print "a,b,c,d"; for (i = 0; i < 400; i++) { x = sin(i); \
		printf "%s,%.3f,%s,%s\n", (i % 7 ? i % 31 : ""), x, (x > 0 ? "yes" : "no"), \
		substr("redtanvan", 1 + i % 3 * 3, 3) } }' > "$$dir/table.csv"
	small='--score-width 64 --decoder-widths 64'
	pictures='--holdout 0.85 --network conv --decoder-channels 32,32,8 --unet-channels 32 --score-width 16 --precision'
	for args in "$$small --dynamics underdamped" "$$small --dynamics exact" "$$small --precision bf16" \
		"$$small --precision bf16-pairs" "$$small --precision bf16x3" "$$pictures bf16" \
		"$$small --data $$dir/table.csv"; do
		echo "$$args"
		set -- train -q --blas native --data digits --epochs 1 --batch 200 --eval-samples 64 $$args
		qemu-aarch64-static "$$dir/plume" "$$@" --out "$$dir/neon"
		env -u PLUME_KERNEL bin/plume "$$@" --out "$$dir/here"
		cmp "$$dir/neon/checkpoints/latest/state.safetensors" "$$dir/here/checkpoints/latest/state.safetensors"
		rm -r "$$dir/neon" "$$dir/here"
	done

# The environment of test-python. PyTorch takes 3 GB there: TORCH=no leaves it out.
venv = bin/.venv

venv: ## make bin/.venv with NumPy, onnxruntime, onnx, TensorBoard, prometheus_client and PyTorch (not with TORCH=no) from PyPI, by PYTHON or python3
	@$(or $(PYTHON),python3) -m venv $(venv)
	$(venv)/bin/pip install -q numpy onnx onnxruntime tensorboard prometheus_client $(if $(filter no,$(TORCH)),,torch)

test-python: ## let Python read what plume writes: exports in NumPy, PyTorch and onnxruntime, event files in TensorBoard, /metrics; in bin/.venv or by PYTHON
	@python='$(if $(findstring /,$(PYTHON)),$(abspath $(PYTHON)),$(PYTHON))'
	if [ -z "$$python" ]; then
		$(MAKE) venv
		python=$(CURDIR)/$(venv)/bin/python
	fi
	$(GO) test ./trainer/export ./trainer/tensorboard ./trainer/monitor -count=1 -v -run '^TestPython$$' -args -python "$$python"

browser: ## install Chromium for test-pages (BROWSER or chromium) if it is missing
	@$(functions)
	command -v "$(or $(BROWSER),chromium)" > /dev/null || apt_install chromium || {
		echo 'Chromium is missing and could not be installed: sudo apt-get install chromium' >&2; exit 1; }

test-pages: browser ## open reports and served pages in headless Chromium, BROWSER or chromium, installed if it is missing; ARGS="-screenshots DIR"
	@CGO_ENABLED=0 $(GO) test ./trainer/page ./trainer/serve -count=1 -v -timeout 60m -run '^TestBrowser$$' -args \
		-browser "$$(command -v "$(or $(BROWSER),chromium)")" $(ARGS)

release: ## build bin/release: archives, packages and checksums for all systems; TARGETS="linux/arm64,windows/amd64" for some, ARGS="-o DIR"
	@$(GO) run ./cmd/plume/release $(if $(TARGETS),-targets '$(TARGETS)') $(ARGS)

test-release: ## make releases twice, compare them, unpack, check and run them (arm64 under qemu, installed if it is missing); install as go install does; TARGETS as above, ARGS=-cold=false to compile once only
	@$(functions)
	if [ "$$($(GO) env GOARCH)" != arm64 ]; then
		command -v qemu-aarch64-static > /dev/null || apt_install qemu-user-static || {
			echo 'qemu-aarch64-static is missing and could not be installed: sudo apt-get install qemu-user-static' >&2; exit 1; }
	fi
	$(GO) test ./cmd/plume/release -count=1 -v -timeout 60m -args -full $(if $(TARGETS),-targets '$(TARGETS)') $(ARGS)

test-deploy: ## check the deployment files in cmd/plume/deploy: flags, shell, systemd, Slurm and mpirun with stubs, Kubernetes against the types of its API
	@CGO_ENABLED=0 $(GO) test ./cmd/plume -count=1 -run '^Test(Deploy.*|Service|Slurm|MPIRun)$$'
	$(GO) -C cmd/plume/deploy/_kubernetes run . ../job.yaml ../mpijob.yaml

test-kill: ## kill a run KILLS times (default 300), above all while it saves, and hold its end against an uninterrupted one
	@CGO_ENABLED=0 $(GO) test ./trainer -count=1 -v -timeout 60m -run '^TestKilled(Ranks)?$$' -args -kills $(or $(KILLS),300)

race: setup ## run the tests under the race detector
	@$(functions)
	choose_backend
	CGO_ENABLED=1 $(GO) test -race -timeout 60m $$tags ./...

fuzz: ## compare the kernel paths, and native products with their definition, on FUZZTIME random inputs each (default 1000000x)
	@$(GO) test ./kernel -run '^$$' -fuzz FuzzKernels -fuzztime $(or $(FUZZTIME),1000000x) -fuzzminimizetime 1x
	$(GO) test ./blas -run '^$$' -fuzz FuzzGemm -fuzztime $(or $(FUZZTIME),1000000x) -fuzzminimizetime 1x

# Package and target of every reader of what comes from outside.
readers = npy:FuzzHeader data:FuzzNPY data:FuzzNPZ data:FuzzMembers data:FuzzIDX data:FuzzCIFAR data:FuzzRange \
	data:FuzzLabels data/files:FuzzArchive data/raster:FuzzRead checkpoint:FuzzParse checkpoint:FuzzMeta config:FuzzConfig \
	export:FuzzExport

fuzz-readers: ## give the readers of data, checkpoints and configurations FUZZTIME random inputs each (default 100000x)
	@for reader in $(readers); do
		echo "$${reader#*:}"
		CGO_ENABLED=0 $(GO) test "./trainer/$${reader%%:*}" -run '^$$' -fuzz "^$${reader#*:}$$" \
			-fuzztime $(or $(FUZZTIME),100000x) -fuzzminimizetime 20x
	done

soak: setup ## train for MINUTES (60) in one process, with frequent reports, checkpoints and resumptions; fail if heap, goroutines, open files or resident memory grow
	@$(functions)
	choose_backend
	$(GO) run $$tags ./bench/soak -minutes $(or $(MINUTES),60) $(if $(INTERVAL),-interval $(INTERVAL)) $(ARGS)

quality: ## test 10^8 normals of the noise stream against the normal law
	@$(GO) test ./kernel -count=1 -v -run TestNormalQuality -args -draws 100000000

accuracy: ## tabulate the errors of the elementary functions over all their arguments
	@$(GO) test ./kernel -count=1 -v -timeout 20m -run Accuracy -args -exhaustive

# Other systems that lint builds for.
SYSTEMS ?= darwin windows

lint: ## check format, go vet (with OpenBLAS and MPI where they are, and without; amd64 and arm64) and staticcheck, the generator too; build for other systems
	@$(functions)
	choose_backend
	bad=$$(gofmt -l .)
	if [ -n "$$bad" ]; then echo "not gofmt-ed: $$bad" >&2; exit 1; fi
	if [ -n "$$tags" ]; then $(GO) vet $$tags ./...; fi
	CGO_ENABLED=0 $(GO) vet ./...
	GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./...
	GOARCH=arm64 CGO_ENABLED=0 $(GO) build ./...
	for os in $(SYSTEMS); do GOOS=$$os CGO_ENABLED=0 $(GO) build ./...; done
	$(GO) run $(STATICCHECK) $$tags ./...
	if command -v $(MPICC) > /dev/null; then
		(use_mpi $(MPICC)
		$(GO) vet -tags mpi ./trainer/comm/...
		$(GO) run $(STATICCHECK) -tags mpi ./trainer/comm/...)
	fi
	cd asm/_gen
	$(GO) vet .
	$(GO) run $(STATICCHECK) .

gen: ## generate the assembly and its Go declarations again
	@$(GO) -C asm/_gen run .

# What the user may say to all of the next three: BENCH (a regexp as for go test), BENCHTIME, COUNT.
# The tracked benchmarks take a few minutes for ten rounds; others are of interest by themselves.
# The variables keep OpenBLAS from the code that suits the CPU.
tracked = Step|Sample/solver=ddim|Gemm|Kernel/op=/n=16384
bench_flags = -unset OPENBLAS_CORETYPE,OPENBLAS_L2_SIZE $(if $(BENCHTIME),-benchtime $(BENCHTIME)) $(if $(COUNT),-count $(COUNT))

bench: setup ## run the benchmarks and save them, with the machine's description, in SAVE (default in bench/results)
	@$(functions)
	choose_backend
	$(GO) run ./bench/regress save $$tags $(if $(SAVE),-o '$(SAVE)') $(bench_flags) -bench '$(or $(BENCH),.)' ./bench

bench-baseline: setup ## record this CPU's baseline in bench/baseline
	@$(functions)
	choose_backend
	$(GO) run ./bench/regress save -baseline $$tags $(bench_flags) -bench '$(or $(BENCH),$(tracked))' ./bench

bench-diff: setup ## fail if a benchmark is slower than in BASE, a file or git revision (default the baseline), by THRESHOLD % (5)
	@$(functions)
	choose_backend
	$(GO) run ./bench/regress diff $$tags $(if $(BASE),-base '$(BASE)') $(if $(THRESHOLD),-threshold $(THRESHOLD)) $(bench_flags) -bench '$(or $(BENCH),$(tracked))' ./bench

bench-kernels: ## measure the kernels against C, PyTorch and Go, and write the tables of bench/README.md
	@env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(GO) run ./bench/peers -write bench/README.md

bench-steps: setup ## measure steps and sampling beside PyTorch and JAX, as PYTHON (paths, with commas) has them, and write the tables
	@$(functions)
	choose_backend
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(GO) run $$tags ./bench/peers -what steps $(if $(PYTHON),-python '$(PYTHON)') -write bench/README.md

bench-quality: setup ## measure seconds of training until samples have a PCA-64 FD of 2: ipld, vae+diffusion, PyTorch's own (PYTHON); ARGS="-precision bf16 -keep FILE"
	@$(functions)
	choose_backend
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(GO) run $$tags ./bench/quality $(if $(PYTHON),-python '$(PYTHON)') $(ARGS)

study = bin/.venv-study

study-tables: build ## fill in tables beside scikit-learn, and learn from plume's samples (bench/study): an hour or more; ARGS="--tables wine"
	@$(or $(PYTHON),python3) -m venv $(study)
	$(study)/bin/pip install -q numpy pandas scikit-learn
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(study)/bin/python bench/study/tables.py bin/plume $(ARGS)

study-precision: build ## train in float32, bf16x3 and bf16, and compare what they reach (bench/study): an hour; ARGS="--parts mlp --seeds 2"
	$(or $(PYTHON),python3) bench/study/precision.py bin/plume $(ARGS)

clean: ## remove what build made; runs stay
	@rm -rf bin
