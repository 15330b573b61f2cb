// The move in AVX2 and FMA, the twin of avx512.h with registers of half the length.

typedef struct {
	__m256i k0[ROUNDS], k1[ROUNDS], last;
	__m256i c2_1, c0_2, c2_2, c3_3;
} keys256;

static inline void start256(keys256 *k, const struct move *m, uint32_t high) {
	struct start s = starting(m, high);
	k->c2_1 = _mm256_set1_epi64x(s.c2_1);
	k->c0_2 = _mm256_set1_epi64x(s.c0_2);
	k->c2_2 = _mm256_set1_epi64x(s.c2_2);
	k->c3_3 = _mm256_set1_epi64x(s.c3_3);
}

static inline void schedule256(keys256 *k, const struct move *m) {
	uint32_t k0 = m->seed, k1 = m->seed >> 32;
	for (int i = 0; i < ROUNDS; i++, k0 += W0, k1 += W1) {
		k->k0[i] = _mm256_set1_epi64x(k0);
		k->k1[i] = _mm256_set1_epi64x(k1);
		k->last = _mm256_set1_epi64x((uint64_t)k1 << 32 | k0);
	}
}

static inline __m256i high256(__m256i p) { return _mm256_srli_epi64(p, 32); }
static inline __m256i xor256(__m256i a, __m256i b, __m256i c) { return _mm256_xor_si256(a, _mm256_xor_si256(b, c)); }
static inline __m256i evenodd256(__m256i a, __m256i b) { return _mm256_blend_epi32(a, _mm256_slli_epi64(b, 32), 0xaa); }

// philox256 makes words 0 and 2, and words 1 and 3, of the four blocks whose counters begin with c0.
static inline void philox256(const keys256 *k, __m256i c0, __m256i *even, __m256i *odd) {
	const __m256i m0 = _mm256_set1_epi64x(M0), m1 = _mm256_set1_epi64x(M1);
	__m256i p0 = _mm256_mul_epu32(c0, m0), p1, c1, c2, c3;
	c3 = p0;
	c2 = _mm256_xor_si256(high256(p0), k->c2_1);

	c1 = _mm256_mul_epu32(c2, m1);
	c0 = _mm256_xor_si256(high256(c1), k->c0_2);
	c2 = _mm256_xor_si256(c3, k->c2_2);

	p0 = _mm256_mul_epu32(c0, m0);
	p1 = _mm256_mul_epu32(c2, m1);
	c0 = xor256(high256(p1), c1, k->k0[2]);
	c2 = _mm256_xor_si256(high256(p0), k->c3_3);
	c1 = p1;
	c3 = p0;

#pragma GCC unroll 10
	for (int i = 3; i < ROUNDS - 1; i++) {
		p0 = _mm256_mul_epu32(c0, m0);
		p1 = _mm256_mul_epu32(c2, m1);
		c0 = xor256(high256(p1), c1, k->k0[i]);
		c2 = xor256(high256(p0), c3, k->k1[i]);
		c1 = p1;
		c3 = p0;
	}

	p0 = _mm256_mul_epu32(c0, m0);
	p1 = _mm256_mul_epu32(c2, m1);
	__m256i high = _mm256_blend_epi32(high256(p1), p0, 0xaa);
	*even = xor256(high, evenodd256(c1, c3), k->last);
	*odd = evenodd256(p1, p0);
}

static inline __m256 radius256(__m256i w) {
	__m256 u = _mm256_cvtepi32_ps(_mm256_add_epi32(_mm256_srli_epi32(w, 8), _mm256_set1_epi32(1)));
	__m256i t = _mm256_sub_epi32(_mm256_castps_si256(u), _mm256_set1_epi32(SQRT_HALF + (24 << 23)));
	__m256 n = _mm256_cvtepi32_ps(_mm256_srai_epi32(t, 23));
	__m256i m = _mm256_add_epi32(_mm256_and_si256(t, _mm256_set1_epi32(0x7fffff)), _mm256_set1_epi32(SQRT_HALF));
	__m256 f = _mm256_sub_ps(_mm256_castsi256_ps(m), _mm256_set1_ps(1));
	__m256 f2 = _mm256_mul_ps(f, f), pair[4];
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		pair[i] = _mm256_fmadd_ps(_mm256_set1_ps(ln_poly[2 * i]), f, _mm256_set1_ps(ln_poly[2 * i + 1]));
	__m256 p = _mm256_fmadd_ps(_mm256_fmadd_ps(pair[0], f2, pair[1]), _mm256_mul_ps(f2, f2), _mm256_fmadd_ps(pair[2], f2, pair[3]));
	__m256 large = _mm256_fmadd_ps(f, _mm256_set1_ps(-2), _mm256_mul_ps(n, _mm256_set1_ps(LN2_HI)));
	__m256 small = _mm256_fmadd_ps(_mm256_mul_ps(f, f2), p, _mm256_fmadd_ps(n, _mm256_set1_ps(LN2_LO), f2));
	return _mm256_sqrt_ps(_mm256_add_ps(large, small));
}

static inline void sincos256(__m256i w, __m256 *sin, __m256 *cos) {
	const __m256 sign = _mm256_set1_ps(-0.0f);
	__m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_slli_epi32(w, 2)), _mm256_set1_ps(ANGLE));
	__m256 z = _mm256_mul_ps(x, x);
	__m256 s = _mm256_fmadd_ps(_mm256_set1_ps(sin_poly[0]), z, _mm256_set1_ps(sin_poly[1]));
	s = _mm256_fmadd_ps(s, z, _mm256_set1_ps(sin_poly[2]));
	s = _mm256_fmadd_ps(_mm256_mul_ps(z, x), s, x);
	__m256 c = _mm256_fmadd_ps(_mm256_set1_ps(cos_poly[0]), z, _mm256_set1_ps(cos_poly[1]));
	c = _mm256_fmadd_ps(c, z, _mm256_set1_ps(cos_poly[2]));
	c = _mm256_fmadd_ps(_mm256_mul_ps(z, z), c, _mm256_fmadd_ps(z, _mm256_set1_ps(-0.5f), _mm256_set1_ps(1)));

	__m256i q = _mm256_add_epi32(w, _mm256_set1_epi32(QUARTER)); // its upper bits count quarter turns
	__m256 next = _mm256_castsi256_ps(_mm256_add_epi32(w, _mm256_set1_epi32(3 * QUARTER)));
	__m256 swap = _mm256_castsi256_ps(_mm256_add_epi32(q, q));
	*sin = _mm256_xor_ps(_mm256_blendv_ps(s, c, swap), _mm256_and_ps(_mm256_castsi256_ps(q), sign));
	*cos = _mm256_xor_ps(_mm256_blendv_ps(c, s, swap), _mm256_and_ps(next, sign));
}

// words256 are the words of a group. The blocks lie so that sorting the normals needs no step across the halves of a register.
typedef struct {
	__m256i even[2], odd[2];
} words256;

static inline words256 draw256(const keys256 *k, uint64_t id) {
	__m256i c0 = _mm256_set1_epi64x(id << 3);
	words256 w;
	philox256(k, _mm256_or_si256(c0, _mm256_setr_epi64x(0, 1, 4, 5)), &w.even[0], &w.odd[0]);
	philox256(k, _mm256_or_si256(c0, _mm256_setr_epi64x(2, 3, 6, 7)), &w.even[1], &w.odd[1]);
	return w;
}

// normals256 is the 32 normals of a group: cosine and sine of the pairs of words (0, 1), then (2, 3).
static inline void normals256(words256 w, __m256 xi[4]) {
	__m256 sin[2], cos[2];
#pragma GCC unroll 2
	for (int i = 0; i < 2; i++) {
		__m256 r = radius256(w.even[i]);
		sincos256(w.odd[i], &sin[i], &cos[i]);
		cos[i] = _mm256_mul_ps(r, cos[i]);
		sin[i] = _mm256_mul_ps(r, sin[i]);
	}
	xi[0] = _mm256_shuffle_ps(cos[0], cos[1], 0x88);
	xi[1] = _mm256_shuffle_ps(sin[0], sin[1], 0x88);
	xi[2] = _mm256_shuffle_ps(cos[0], cos[1], 0xdd);
	xi[3] = _mm256_shuffle_ps(sin[0], sin[1], 0xdd);
}

static inline float fold256(__m256 x, __m256 y) {
	__m256 a = _mm256_add_ps(x, y);
	__m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
	b = _mm_add_ps(b, _mm_movehl_ps(b, b));
	return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}

// move_rows makes the move of one row or more and returns how many were cut.
static long move_rows(const struct move *m) {
	const __m256 anchor = _mm256_set1_ps(m->anchor);
	const float root = (float)(m->clip * sqrt(WIDTH));
	uint32_t high = m->ids[0] >> 29;
	long cut = 0;
	keys256 k;
	schedule256(&k, m);
	start256(&k, m, high);
	words256 next = draw256(&k, m->ids[0]); // a row ahead: independent work hides the latency of either
	for (long r = 0; r < m->rows; r++) {
		uint64_t id = m->ids[r + 1 < m->rows ? r + 1 : r];
		if (__builtin_expect(id >> 29 != high, 0))
			start256(&k, m, high = id >> 29);
		__m256 xi[4], t[4], v[4];
		words256 words = next;
		next = draw256(&k, id);
		normals256(words, xi);

		float *z = m->z + WIDTH * r, size = m->h[r];
		const float *g = m->g + WIDTH * r, *p = m->p + WIDTH * r;
		__m256 noise = _mm256_set1_ps(root_of(2 * size)), h = _mm256_set1_ps(size);
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++) {
			__m256 gp = _mm256_add_ps(_mm256_loadu_ps(g + 8 * i), _mm256_loadu_ps(p + 8 * i));
			t[i] = _mm256_fmadd_ps(anchor, _mm256_loadu_ps(z + 8 * i), gp);
			v[i] = _mm256_mul_ps(t[i], h);
		}
		float norm = fold256(_mm256_fmadd_ps(v[2], v[2], _mm256_mul_ps(v[0], v[0])), _mm256_fmadd_ps(v[3], v[3], _mm256_mul_ps(v[1], v[1])));
		if (__builtin_expect(norm > root * root, 0)) {
			h = _mm256_set1_ps(size * (root / root_of(norm)));
			cut++;
		}
#pragma GCC unroll 4
		for (int i = 0; i < 4; i++)
			_mm256_storeu_ps(z + 8 * i, _mm256_fmadd_ps(noise, xi[i], _mm256_fnmadd_ps(h, t[i], _mm256_loadu_ps(z + 8 * i))));
	}
	return cut;
}
