// The move in AVX-512: one row is two registers, one group of the noise is one register of eight 64-bit lanes for each
// counter word. Only the low half of a lane counts, so that the products' high words need a shift and nothing a shuffle.

typedef struct {
	__m512i k0[ROUNDS], k1[ROUNDS], last; // keys of the rounds; last: those of the tenth, by turns
	__m512i c2_1, c0_2, c2_2, c3_3;
	__m512i sign, quarter, half, three; // bits of an angle
} keys512;

#define XOR3 0x96
#define XOR_AND 0x78 // a ^ (b & c)

static inline void start512(keys512 *k, const struct move *m, uint32_t high) {
	struct start s = starting(m, high);
	k->c2_1 = _mm512_set1_epi64(s.c2_1);
	k->c0_2 = _mm512_set1_epi64(s.c0_2);
	k->c2_2 = _mm512_set1_epi64(s.c2_2);
	k->c3_3 = _mm512_set1_epi64(s.c3_3);
}

// constant512 hides a constant from the compiler, which would make it anew for every row.
static inline __m512i constant512(uint32_t x) {
	__m512i v = _mm512_set1_epi32(x);
	__asm__("" : "+v"(v));
	return v;
}

static inline void schedule512(keys512 *k, const struct move *m) {
	uint32_t k0 = m->seed, k1 = m->seed >> 32;
	for (int i = 0; i < ROUNDS; i++, k0 += W0, k1 += W1) {
		k->k0[i] = _mm512_set1_epi64(k0);
		k->k1[i] = _mm512_set1_epi64(k1);
		k->last = _mm512_set1_epi64((uint64_t)k1 << 32 | k0);
	}
	k->sign = constant512(0x80000000);
	k->quarter = constant512(QUARTER);
	k->half = constant512(2 * QUARTER);
	k->three = constant512(3 * QUARTER);
}

static inline __m512i high512(__m512i p) { return _mm512_srli_epi64(p, 32); }
static inline __m512i xor512(__m512i a, __m512i b, __m512i c) { return _mm512_ternarylogic_epi64(a, b, c, XOR3); }

// evenodd512 is the low words of a in the even, those of b in the odd places.
static inline __m512i evenodd512(__m512i a, __m512i b) {
	return _mm512_castps_si512(_mm512_mask_moveldup_ps(_mm512_castsi512_ps(a), 0xaaaa, _mm512_castsi512_ps(b)));
}

// philox512 makes words 0 and 2, and words 1 and 3, of the eight blocks whose counters begin with c0.
static inline void philox512(const keys512 *k, __m512i c0, __m512i *even, __m512i *odd) {
	const __m512i m0 = _mm512_set1_epi64(M0), m1 = _mm512_set1_epi64(M1);
	__m512i p0 = _mm512_mul_epu32(c0, m0), p1, c1, c2, c3;
	c3 = p0;
	c2 = _mm512_xor_si512(high512(p0), k->c2_1);

	c1 = _mm512_mul_epu32(c2, m1);
	c0 = _mm512_xor_si512(high512(c1), k->c0_2);
	c2 = _mm512_xor_si512(c3, k->c2_2);

	p0 = _mm512_mul_epu32(c0, m0);
	p1 = _mm512_mul_epu32(c2, m1);
	c0 = xor512(high512(p1), c1, k->k0[2]);
	c2 = _mm512_xor_si512(high512(p0), k->c3_3);
	c1 = p1;
	c3 = p0;

#pragma GCC unroll 10
	for (int i = 3; i < ROUNDS - 1; i++) {
		p0 = _mm512_mul_epu32(c0, m0);
		p1 = _mm512_mul_epu32(c2, m1);
		c0 = xor512(high512(p1), c1, k->k0[i]);
		c2 = xor512(high512(p0), c3, k->k1[i]);
		c1 = p1;
		c3 = p0;
	}

	p0 = _mm512_mul_epu32(c0, m0);
	p1 = _mm512_mul_epu32(c2, m1);
	__m512i high = _mm512_castps_si512(_mm512_mask_movehdup_ps(_mm512_castsi512_ps(p0), 0x5555, _mm512_castsi512_ps(p1)));
	*even = xor512(high, evenodd512(c1, c3), k->last);
	*odd = evenodd512(p1, p0);
}

// radius512 is sqrt(-2 ln u) for u = ((w >> 8) + 1) / 2^24.
static inline __m512 radius512(__m512i w) {
	__m512 u = _mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_srli_epi32(w, 8), _mm512_set1_epi32(1)));
	__m512i t = _mm512_sub_epi32(_mm512_castps_si512(u), _mm512_set1_epi32(SQRT_HALF + (24 << 23)));
	__m512 n = _mm512_cvtepi32_ps(_mm512_srai_epi32(t, 23));
	__m512i m = _mm512_add_epi32(_mm512_and_si512(t, _mm512_set1_epi32(0x7fffff)), _mm512_set1_epi32(SQRT_HALF));
	__m512 f = _mm512_sub_ps(_mm512_castsi512_ps(m), _mm512_set1_ps(1));
	__m512 f2 = _mm512_mul_ps(f, f), pair[4];
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		pair[i] = _mm512_fmadd_ps(_mm512_set1_ps(ln_poly[2 * i]), f, _mm512_set1_ps(ln_poly[2 * i + 1]));
	__m512 p = _mm512_fmadd_ps(_mm512_fmadd_ps(pair[0], f2, pair[1]), _mm512_mul_ps(f2, f2), _mm512_fmadd_ps(pair[2], f2, pair[3]));
	__m512 large = _mm512_fmadd_ps(f, _mm512_set1_ps(-2), _mm512_mul_ps(n, _mm512_set1_ps(LN2_HI)));
	__m512 small = _mm512_fmadd_ps(_mm512_mul_ps(f, f2), p, _mm512_fmadd_ps(n, _mm512_set1_ps(LN2_LO), f2));
	return _mm512_sqrt_ps(_mm512_add_ps(large, small));
}

// sincos512 is the sine and cosine of the angle pi w / 2^31, w signed.
static inline void sincos512(const keys512 *k, __m512i w, __m512 *sin, __m512 *cos) {
	__m512 x = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_slli_epi32(w, 2)), _mm512_set1_ps(ANGLE));
	__m512 z = _mm512_mul_ps(x, x);
	__m512 s = _mm512_fmadd_ps(_mm512_set1_ps(sin_poly[0]), z, _mm512_set1_ps(sin_poly[1]));
	s = _mm512_fmadd_ps(s, z, _mm512_set1_ps(sin_poly[2]));
	s = _mm512_fmadd_ps(_mm512_mul_ps(z, x), s, x);
	__m512 c = _mm512_fmadd_ps(_mm512_set1_ps(cos_poly[0]), z, _mm512_set1_ps(cos_poly[1]));
	c = _mm512_fmadd_ps(c, z, _mm512_set1_ps(cos_poly[2]));
	c = _mm512_fmadd_ps(_mm512_mul_ps(z, z), c, _mm512_fmadd_ps(z, _mm512_set1_ps(-0.5f), _mm512_set1_ps(1)));

	__m512i q = _mm512_add_epi32(w, k->quarter), next = _mm512_add_epi32(w, k->three); // the upper bits count quarter turns
	__mmask16 swap = _mm512_test_epi32_mask(q, k->half);
	__m512i a = _mm512_castps_si512(_mm512_mask_blend_ps(swap, s, c)), b = _mm512_castps_si512(_mm512_mask_blend_ps(swap, c, s));
	*sin = _mm512_castsi512_ps(_mm512_ternarylogic_epi32(a, q, k->sign, XOR_AND));
	*cos = _mm512_castsi512_ps(_mm512_ternarylogic_epi32(b, next, k->sign, XOR_AND));
}

// words512 are the words of a group.
typedef struct {
	__m512i even, odd;
} words512;

static inline words512 draw512(const keys512 *k, uint64_t id) {
	const __m512i lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
	words512 w;
	philox512(k, _mm512_or_si512(_mm512_set1_epi64(id << 3), lanes), &w.even, &w.odd);
	return w;
}

// normals512 is the 32 normals of a group: cosine and sine of the pairs of words (0, 1), then (2, 3).
static inline void normals512(const keys512 *k, words512 w, __m512 *a, __m512 *b) {
	const __m512i evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
	__m512 sin, cos, r = radius512(w.even);
	sincos512(k, w.odd, &sin, &cos);
	cos = _mm512_mul_ps(r, cos);
	sin = _mm512_mul_ps(r, sin);
	*a = _mm512_permutex2var_ps(cos, evens, sin);
	*b = _mm512_permutex2var_ps(cos, _mm512_add_epi32(evens, _mm512_set1_epi32(1)), sin);
}

// fold512 adds sixteen numbers in halves.
static inline float fold512(__m512 x) {
	__m256 a = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
	__m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
	b = _mm_add_ps(b, _mm_movehl_ps(b, b));
	return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}

// move_rows makes the move of one row or more and returns how many were cut.
static long move_rows(const struct move *m) {
	const __m512 anchor = _mm512_set1_ps(m->anchor);
	const float root = (float)(m->clip * sqrt(WIDTH));
	uint32_t high = m->ids[0] >> 29;
	long cut = 0;
	keys512 k;
	schedule512(&k, m);
	start512(&k, m, high);
	words512 next = draw512(&k, m->ids[0]); // a row ahead: independent work hides the latency of either
	for (long r = 0; r < m->rows; r++) {
		uint64_t id = m->ids[r + 1 < m->rows ? r + 1 : r];
		if (__builtin_expect(id >> 29 != high, 0))
			start512(&k, m, high = id >> 29);
		__m512 xi0, xi1;
		words512 words = next;
		next = draw512(&k, id);
		normals512(&k, words, &xi0, &xi1);

		float *z = m->z + WIDTH * r;
		const float *g = m->g + WIDTH * r, *p = m->p + WIDTH * r;
		__m512 z0 = _mm512_loadu_ps(z), z1 = _mm512_loadu_ps(z + 16);
		__m512 t0 = _mm512_fmadd_ps(anchor, z0, _mm512_add_ps(_mm512_loadu_ps(g), _mm512_loadu_ps(p)));
		__m512 t1 = _mm512_fmadd_ps(anchor, z1, _mm512_add_ps(_mm512_loadu_ps(g + 16), _mm512_loadu_ps(p + 16)));
		float size = m->h[r];
		__m512 noise = _mm512_set1_ps(root_of(2 * size)), h = _mm512_set1_ps(size);
		__m512 v0 = _mm512_mul_ps(t0, h), v1 = _mm512_mul_ps(t1, h);
		float norm = fold512(_mm512_fmadd_ps(v1, v1, _mm512_mul_ps(v0, v0)));
		if (__builtin_expect(norm > root * root, 0)) {
			h = _mm512_set1_ps(size * (root / root_of(norm)));
			cut++;
		}
		_mm512_storeu_ps(z, _mm512_fmadd_ps(noise, xi0, _mm512_fnmadd_ps(h, t0, z0)));
		_mm512_storeu_ps(z + 16, _mm512_fmadd_ps(noise, xi1, _mm512_fnmadd_ps(h, t1, z1)));
	}
	return cut;
}
