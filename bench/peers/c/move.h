// What both variants of the move share.

#include <immintrin.h>

enum { WIDTH = 32 }; // numbers in a row, and in a group of the noise

// A move of rows x WIDTH numbers; kernel.Move says what they are.
struct move {
	float *z, *g, *p, *h;
	uint64_t *ids;
	long rows;
	float anchor, clip;
	uint64_t seed;
	uint32_t step, stream;
};

// The noise stream: Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011), Box and Muller.

enum { ROUNDS = 10 };
#define M0 0xD2511F53u
#define M1 0xCD9E8D57u
#define W0 0x9E3779B9u
#define W1 0xBB67AE85u

// Powers of two are moved into constants where that changes no rounding: ln u is computed times -2, and the angle is
// taken from the word shifted left by two, which leaves exactly its distance from the nearest quarter turn, times four.
#define SQRT_HALF 0x3f3504f3
#define LN2_HI (-2 * 0x1.62e4p-1f)
#define LN2_LO (-2 * 0x1.7f7d1cp-20f)
#define ANGLE (0x1.921fb6p-30f / 4)
#define QUARTER 0x20000000

#define LN(c) (-2 * c)
static const float ln_poly[8] = {
	LN(-0x1.38b582p-4f), LN(0x1.055b6cp-3f), LN(-0x1.0d8542p-3f), LN(0x1.22da1cp-3f),
	LN(-0x1.547244p-3f), LN(0x1.99a008p-3f), LN(-0x1.000226p-2f), LN(0x1.555554p-2f),
};
static const float sin_poly[3] = {-0x1.994eb4p-13f, 0x1.11076p-7f, -0x1.555546p-3f};
static const float cos_poly[3] = {0x1.9a025ap-16f, -0x1.6c0c8cp-10f, 0x1.55554ap-5f};

// The first rounds of a group whose blocks share all counter words but the lowest: what they need of the others.
struct start {
	uint32_t c2_1;       // c3 ^ k1: xored into the new c2 of round 1
	uint32_t c0_2;       // c1 ^ k0 of round 2
	uint32_t c2_2, c3_3; // high product ^ k1 of round 2, c3 ^ k1 of round 3
};

static inline struct start starting(const struct move *m, uint32_t high) {
	uint32_t k0 = m->seed, k1 = m->seed >> 32;
	uint64_t p1 = (uint64_t)M1 * m->step;
	uint32_t c0 = (uint32_t)(p1 >> 32) ^ high ^ k0;
	uint64_t p0 = (uint64_t)M0 * c0;
	return (struct start){
		.c2_1 = m->stream ^ k1,
		.c0_2 = (uint32_t)p1 ^ (k0 + W0),
		.c2_2 = (uint32_t)(p0 >> 32) ^ (k1 + W1),
		.c3_3 = (uint32_t)p0 ^ (k1 + 2 * W1),
	};
}

// root_of is a square root without a library's care for errno.
static inline float root_of(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }

#if LANES == 16
#ifndef __AVX512DQ__
#error this CPU has no AVX-512
#endif
#include "avx512.h"
#else
#ifdef __AVX512F__
#error the twin is to be compiled without AVX-512
#endif
#include "avx2.h"
#endif
