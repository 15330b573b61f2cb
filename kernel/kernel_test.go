package kernel

import (
	"math"
	"slices"
	"testing"
)

// f is float64(x): the oracles below are the documented loops in float64.
func f(x float32) float64 { return float64(x) }

func TestElementwise(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		eachShape(func(n, d int) {
			n *= d
			x, y, z := fill(n), fill(n), fill(n)

			got := guardedCopy(t, z)
			Add(got, x)
			near(
				t, "Add", got, 1,
				func(i int) (float64, float64) {
					return f(z[i]) + f(x[i]), math.Abs(f(z[i]) + f(x[i]))
				},
			)

			const a, b, c = 0.75, -1.3, 0.3
			got = guardedCopy(t, z)
			Combine(got, a, x, b, y, c)
			near(t, "Combine", got, 4, func(i int) (float64, float64) {
				p, q, r := a*f(z[i]), f(float32(b))*f(x[i]), f(float32(c))*f(y[i])
				return p + q + r, math.Abs(p) + math.Abs(q) + math.Abs(r)
			})
			two := guardedCopy(t, z)
			Combine(two, a, x, b, nil, c)
			near(t, "Combine of two", two, 3, func(i int) (float64, float64) {
				p, q := a*f(z[i]), f(float32(b))*f(x[i])
				return p + q, math.Abs(p) + math.Abs(q)
			})

			got = guardedCopy(t, z)
			EMAStep(got, x, 0.01)
			near(t, "EMAStep", got, 2, func(i int) (float64, float64) {
				moved := f(z[i]) + f(float32(0.01))*(f(x[i])-f(z[i]))
				return moved, math.Abs(f(z[i])) + math.Abs(f(x[i]))
			})
		})
	})
}

// TestClip: exact, of every length, with what has no size or no order.
func TestClip(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	special := []float32{0, 1, -1, 0.5, 2, -3, math.MaxFloat32, -math.MaxFloat32, inf, -inf, nan}
	eachPath(t, func(t *testing.T) {
		for n := range 150 {
			x := guarded(t, n)
			for i := range x {
				x[i] = special[(i+n)%len(special)]
			}
			Clip(x)
			for i, got := range x {
				v := f(special[(i+n)%len(special)])
				want := math.Max(-1, math.Min(1, v))
				if f(got) != want && !(math.IsNaN(v) && got != got) {
					t.Fatalf("%v of %d numbers becomes %v", v, n, got)
				}
			}
		}
	})
}

func TestRowLoops(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		eachShape(func(n, d int) {
			x, y, z := fill(n*d), fill(n*d), fill(n*d)
			a, b := fill(n), fill(n)

			got := guardedCopy(t, x)
			ScaleRows(got, a, d)
			near(t, "ScaleRows", got, 1, func(i int) (float64, float64) {
				v := f(a[i/d]) * f(x[i])
				return v, math.Abs(v)
			})

			got = guarded(t, n*d)
			CombineRows(got, x, a, y, b, z, 0.3, d)
			near(t, "CombineRows", got, 4, func(i int) (float64, float64) {
				p, q, r := f(a[i/d])*f(x[i]), f(b[i/d])*f(y[i]), f(float32(0.3))*f(z[i])
				return p + q + r, math.Abs(p) + math.Abs(q) + math.Abs(r)
			})

			eps, zl := guarded(t, n*d), guarded(t, n*d)
			ids := make([]uint64, n)
			for i := range ids {
				ids[i] = uint64(3 * i)
			}
			NoiseRows(zl, eps, z, a, b, ids, d, Key{Seed: 4, Stream: testStream})
			near(t, "NoiseRows", zl, 3, func(i int) (float64, float64) {
				p, q := f(a[i/d])*f(z[i]), f(b[i/d])*f(eps[i])
				return p + q, math.Abs(p) + math.Abs(q)
			})

			const repeat = 3
			many := fill(n * d * repeat)
			got = guarded(t, n*d)
			MeanRows(got, many, repeat, d)
			near(t, "MeanRows", got, 4, func(i int) (mean, size float64) {
				for k := range repeat {
					v := f(many[(i/d*repeat+k)*d+i%d])
					mean += v / repeat
					size += math.Abs(v) / repeat
				}
				return mean, size
			})
			MeanRows(got, x, 1, d)
			same(t, "MeanRows of one", got, x)
		})
	})
}

// documentedSquare is |x|^2 in the order the package comment fixes, written out.
func documentedSquare(x []float32) float32 {
	var p [16]float32
	for i, v := range x {
		p[i%16] = fma32(v, v, p[i%16])
	}
	h := func(i int) float32 { return p[i] + p[i+8] }
	q := func(i int) float32 { return h(i) + h(i+4) }
	return (q(0) + q(2)) + (q(1) + q(3))
}

func TestResiduals(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		eachShape(func(n, d int) {
			zl, r, eps, sigma := fill(n*d), fill(n*d), fill(n*d), fill(n)
			e, sq := guarded(t, n*d), guarded(t, n)
			ScoreResidual(e, sq, zl, r, eps, sigma, d)
			near(t, "ScoreResidual", e, 3, func(i int) (float64, float64) {
				p := f(sigma[i/d]) * f(zl[i])
				size := math.Abs(p) + math.Abs(f(r[i])) + math.Abs(f(eps[i]))
				return p + f(r[i]) - f(eps[i]), size
			})
			checkSquares(t, "ScoreResidual", sq, e, d)
			SquareNorms(sq, zl, d)
			checkSquares(t, "SquareNorms", sq, zl, d)
			DotRows(sq, zl, eps, d)
			near(t, "DotRows", sq, float64(d+4), func(i int) (sum, size float64) {
				for j := i * d; j < (i+1)*d; j++ {
					sum += f(zl[j]) * f(eps[j])
					size += math.Abs(f(zl[j]) * f(eps[j]))
				}
				return sum, size
			})

			const first, repeat, scale = 5, 3, 0.125
			x, y := fill((first+n+repeat)/repeat*d), fill(n*d)
			DataResidual(e, sq, y, x, first, repeat, d, 1)
			near(t, "DataResidual", e, 1, func(i int) (float64, float64) {
				v := f(y[i]) - f(x[(first+i/d)/repeat*d+i%d])
				return v, math.Abs(v)
			})
			checkSquares(t, "DataResidual", sq, e, d)
			scaled, sq2 := guardedCopy(t, y), guarded(t, n)
			DataResidual(scaled, sq2, scaled, x, first, repeat, d, scale) // e in place of y
			near(
				t, "DataResidual scaled", scaled, 0,
				func(i int) (float64, float64) { return scale * f(e[i]), 0 },
			)
			same(t, "DataResidual sq, scaled", sq2, sq)
		})
	})
}

func checkSquares(t *testing.T, what string, sq, x []float32, d int) {
	t.Helper()
	for i, got := range sq {
		row := x[i*d : (i+1)*d]
		if want := documentedSquare(row); got != want {
			t.Fatalf(
				"%s: row %d of width %d: |x|^2 = %v, want %v, in the documented order", what, i, d,
				got, want,
			)
		}
		var sum float64
		for _, v := range row {
			sum += f(v) * f(v)
		}
		// at most d/16 + 1 multiply-adds to a partial sum, 4 additions in the fold
		if tol := float64(d/16+6) * 0x1p-24 * sum; beyond(f(got)-sum, tol) {
			t.Fatalf(
				"%s: row %d of width %d: |x|^2 = %v, want %v within %.2g", what, i, d, got, sum,
				tol,
			)
		}
	}
}

func TestOptimisers(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for _, n := range append(widths(), 0) {
			p0, g, m0, v0 := fill(n), fill(n), fill(n), fill(n)
			for i := range v0 {
				v0[i] *= v0[i]
			}
			// betas exact in float32
			const lr, b1, b2, eps, c1, c2 = 0.01, 0.75, 0.96875, 1e-3, 4, 7

			p := guardedCopy(t, p0)
			SGDStep(p, g, lr)
			near(t, "SGDStep", p, 3, func(i int) (float64, float64) {
				step := f(float32(lr)) * f(g[i])
				return f(p0[i]) - step, math.Abs(f(p0[i])) + math.Abs(step)
			})

			p, v := guardedCopy(t, p0), guardedCopy(t, v0)
			RMSpropStep(p, v, g, lr, b2, eps)
			second := func(i int) float64 { return b2*f(v0[i]) + (1-b2)*f(g[i])*f(g[i]) }
			near(
				t, "RMSpropStep v", v, 4,
				func(i int) (float64, float64) { return second(i), second(i) },
			)
			near(t, "RMSpropStep p", p, 7, func(i int) (float64, float64) {
				step := f(float32(lr)) * f(g[i]) / (math.Sqrt(second(i)) + f(float32(eps)))
				return f(p0[i]) - step, math.Abs(f(p0[i])) + math.Abs(step)
			})

			p, v = guardedCopy(t, p0), guardedCopy(t, v0)
			m := guardedCopy(t, m0)
			AdamStep(p, m, v, g, AdamRates{lr, b1, b2, eps, c1, c2})
			first := func(i int) (float64, float64) {
				a, b := b1*f(m0[i]), (1-b1)*f(g[i])
				return a + b, math.Abs(a) + math.Abs(b)
			}
			near(t, "AdamStep m", m, 3, first)
			near(
				t, "AdamStep v", v, 4,
				func(i int) (float64, float64) { return second(i), second(i) },
			)
			near(t, "AdamStep p", p, 10, func(i int) (float64, float64) {
				mean, size := first(i)
				scale := f(float32(lr)) * c1 / (math.Sqrt(c2*second(i)) + f(float32(eps)))
				return f(p0[i]) - scale*mean, math.Abs(f(p0[i])) + scale*size
			})
		}
	})
}

// TestAdamAverage: the step of a block is, bit for bit, the steps it joins, row by row.
func TestAdamAverage(t *testing.T) {
	const ld, rows, keep, rate = 40, 3, 0.9, 0.25
	r := AdamRates{0.01, 0.75, 0.96875, 1e-3, 4, 7}
	eachPath(t, func(t *testing.T) {
		for _, cols := range []int{1, 15, 16, 33, ld} {
			var x [5][]float32 // p, m, v, the average, g
			for i := range x {
				x[i] = guardedCopy(t, fill(rows * ld)[:(rows-1)*ld+cols])
			}
			for i := range x[2] {
				x[2][i] *= x[2][i]
			}
			var want [5][]float32
			for i := range x {
				want[i] = slices.Clone(x[i])
			}
			for i := range rows {
				row := func(k int) []float32 { return want[k][i*ld : i*ld+cols] }
				Scale(row(0), keep)
				AdamStep(row(0), row(1), row(2), row(4), r)
				EMAStep(row(3), row(0), rate)
			}
			AdamAverageStep(x[0], x[1], x[2], x[3], x[4], ld, cols, rows, r, keep, rate)
			for i := range x {
				if !slices.Equal(x[i], want[i]) {
					t.Fatalf("%d columns: array %d differs", cols, i)
				}
			}
			got, norms := make([]float32, rows), make([]float32, rows)
			SquareRows(got, x[0], ld, cols)
			for i := range rows {
				SquareNorms(norms[i:i+1], x[0][i*ld:i*ld+cols], cols)
			}
			if !slices.Equal(got, norms) {
				t.Fatalf("%d columns: squares %v, want %v", cols, got, norms)
			}
		}
	})
}

func TestAllFinite(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for _, n := range append(widths(), 0) {
			x := guardedCopy(t, fill(n)) // the words around it are NaN
			if n > 0 {
				x[0] = math.MaxFloat32
				x[n-1] = -math.SmallestNonzeroFloat32
			}
			if !AllFinite(x) || NotFinite(x) != -1 {
				t.Fatalf("n %d: finite numbers taken for others", n)
			}
			for i := range x {
				for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
					keep := x[i]
					x[i] = float32(bad)
					if AllFinite(x) || NotFinite(x) != i {
						t.Fatalf("n %d: %v at %d not seen", n, bad, i)
					}
					x[i] = keep
				}
			}
		}
	})
}

func TestPixels(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		var all, back [256]uint8
		for i := range all {
			all[i] = uint8(i)
		}
		var x [256]float32
		U8ToF32(x[:], all[:])
		near(
			t, "U8ToF32", x[:], 3,
			func(i int) (float64, float64) { return float64(i)*2/255 - 1, 1 + float64(i)*2/255 },
		)
		if x[0] != -1 || x[255] != 1 {
			t.Errorf("black is %v and white %v", x[0], x[255])
		}
		F32ToU8(back[:], x[:])
		if back != all {
			t.Errorf("there and back: %v", back)
		}

		in := []float32{
			-2, float32(math.Inf(-1)), 2, float32(math.Inf(1)), float32(math.NaN()), 0, -1 + 0x1p-8,
			-0.9999, 0.9999, -0.5,
		}
		want := []uint8{0, 0, 255, 255, 0, 128, 0, 0, 255, 64}
		got := make([]uint8, len(in))
		F32ToU8(got, in)
		for i := range in {
			if got[i] != want[i] {
				t.Errorf("F32ToU8(%v) = %d, want %d", in[i], got[i], want[i])
			}
		}
		for _, n := range widths() {
			src := fill(n)
			dst, one := make([]uint8, n), make([]uint8, 1)
			F32ToU8(dst, src)
			pixels := guarded(t, n)
			U8ToF32(pixels, dst)
			for i := range dst {
				F32ToU8(one, src[i:i+1])
				v := (min(max(f(src[i]), -1), 1) + 1) * 127.5
				if dst[i] != one[0] || beyond(float64(dst[i])-v, 0.5001) || pixels[i] != x[dst[i]] {
					t.Fatalf(
						"n %d, element %d: %v became %d and %v", n, i, src[i], dst[i], pixels[i],
					)
				}
			}
		}
	})
}

// TestSpecialValues: NaN and infinities propagate, denormals are kept.
func TestSpecialValues(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	tiny := float32(math.SmallestNonzeroFloat32)
	eachPath(t, func(t *testing.T) {
		for _, n := range []int{1, 8, 19, 40} {
			for _, at := range []int{0, n / 2, n - 1} {
				x := constant(n, 1)
				x[at] = nan
				sq := []float32{0}
				SquareNorms(sq, x, n)
				if sq[0] == sq[0] {
					t.Errorf("NaN at %d of %d: |x|^2 = %v", at, n, sq[0])
				}
				x[at] = inf
				SquareNorms(sq, x, n)
				if sq[0] != inf {
					t.Errorf("Inf at %d of %d: |x|^2 = %v", at, n, sq[0])
				}
				Add(x, constant(n, -inf))
				if x[at] == x[at] || (n > 1 && x[(at+1)%n] != -inf) {
					t.Errorf("Inf - Inf at %d: %v", at, x)
				}
				y := constant(n, tiny)
				ScaleRows(y, []float32{2}, n)
				Add(y, y)
				if y[at] != 4*tiny {
					t.Errorf("the smallest denormal times 4 is %v", y[at])
				}
			}
		}
	})
}

func TestDispatch(t *testing.T) {
	if p, _, err := choose(""); p != paths[0] || err != nil {
		t.Errorf("no wish: %s, %v; want the best, %s", p.name, err, paths[0].name)
	}
	for _, want := range paths {
		if p, _, err := choose(want.name); p != want || err != nil {
			t.Errorf("%s: got %s, %v", want.name, p.name, err)
		}
	}
	p, _, err := choose("avx9")
	const message = "PLUME_KERNEL=avx9: this build on this CPU has the kernel paths "
	if p != &generic || err == nil || len(err.Error()) <= len(message) ||
		err.Error()[:len(message)] != message {
		t.Errorf(
			"unknown path: %s, %v; want generic and an error that names the choice", p.name, err,
		)
	}
	if paths[len(paths)-1] != &generic {
		t.Errorf("the paths %v do not end with generic", pathNames())
	}
	if info := Info(); info.Path != active.name || len(info.Available) != len(paths) {
		t.Errorf("%+v on path %s", info, active.name)
	}
}
