// The overdamped Langevin move of plume in C with intrinsics: what kernel.Overdamped computes, bit for bit,
// for rows of 32 numbers, the drift bounded. It is the limit that plume's assembly is held against, so it leaves out
// whatever 32 numbers a row allow: a row is one group of the noise, and its drift stays in registers. Scheduling before
// registers are given out is what lets one row's noise overlap the next one's (a quarter of the time on AVX-512).
//
//     cc -O3 -march=native -fschedule-insns -ffp-contract=off -DLANES=16 langevin.c -lm
//     cc -O3 -march=native -fschedule-insns -ffp-contract=off -DLANES=8 -mno-avx512f langevin.c -lm
//
// It answers lines on stdin, as every worker does (see ../worker.go), and beside them "check N".

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "move.h"

static float *floats(long n) {
	float *x = aligned_alloc(64, ((size_t)n * sizeof *x + 63) / 64 * 64);
	if (!x) {
		fprintf(stderr, "no memory for %ld floats\n", n);
		exit(1);
	}
	return x;
}

// spread is the i-th of a fixed sequence of numbers in [-2, 2): driver and worker agree on it.
static float spread(uint32_t i) {
	return (float)(i * 2654435761u >> 8) * 0x1p-22f - 2;
}

// inputs allocates a move of n numbers. Row r steps by size*(1 + r/rows), its noise is that of row first + 7r.
static struct move inputs(long n, float size, float clip, uint64_t first) {
	long rows = n / WIDTH;
	struct move m = {
		.rows = rows, .z = floats(n), .g = floats(n), .p = floats(n), .h = floats(rows), .ids = malloc(rows * sizeof(uint64_t)),
		.anchor = 0.25f, .clip = clip, .seed = 0x123456789abcdef0, .step = 7, .stream = 3,
	};
	if (!m.ids) {
		fprintf(stderr, "no memory for %ld rows\n", rows);
		exit(1);
	}
	for (long i = 0; i < n; i++) {
		m.z[i] = spread(3 * i);
		m.g[i] = spread(3 * i + 1);
		m.p[i] = spread(3 * i + 2);
	}
	for (long r = 0; r < rows; r++) {
		m.h[r] = size * (1 + (float)r / (float)rows);
		m.ids[r] = first + 7 * r;
	}
	return m;
}

static void release(struct move *m) {
	free(m->z);
	free(m->g);
	free(m->p);
	free(m->h);
	free(m->ids);
}

static double seconds(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

static double measure(const struct move *m, long times) {
	double start = seconds();
	for (long i = 0; i < times; i++)
		move_rows(m);
	return seconds() - start;
}

// check prints the bits of z after one move of n numbers, some of whose rows are cut, and their number. The
// number of a row's first block goes beyond 32 bits.
static void check(long n) {
	struct move m = inputs(n, 0.04f, 0.08f, (1ull << 29) - 50);
	printf("%ld", move_rows(&m));
	for (long i = 0; i < n; i++) {
		uint32_t bits;
		memcpy(&bits, &m.z[i], 4);
		printf(" %08x", bits);
	}
	printf("\n");
	release(&m);
}

static void serve(void) {
	const double slice = 0.02;
	struct move m = {0};
	long held = 0, times = 0, n;
	char kernel[64];
	while (scanf("%63s %ld", kernel, &n) == 2) {
		if (!strcmp(kernel, "about")) {
#ifdef __clang__
			printf("clang %s\n", __clang_version__);
#else
			printf("gcc %s\n", __VERSION__);
#endif
		} else if (!strcmp(kernel, "check")) {
			check(n);
		} else if (strcmp(kernel, "langevin") || n <= 0 || n % WIDTH) {
			printf("none\n");
		} else {
			if (n != held) {
				release(&m);
				m = inputs(n, 1e-3f, 1, 0);
				held = n;
				measure(&m, 1);
				for (times = 1; times < 1 << 24 && measure(&m, times) < slice / 2;)
					times *= 2;
			}
			measure(&m, (times + 15) / 16);
			printf("%.6g\n", measure(&m, times) * 1e9 / ((double)times * n));
		}
		fflush(stdout);
	}
	release(&m);
}

int main(void) {
	serve();
	return 0;
}
