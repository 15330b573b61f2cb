package kernel

import "math"

func uniformGeneric(dst []float32, first, seed uint64, step, stream uint32) {
	key := Key{seed, step, Stream(stream)}
	var w [GroupLen]uint32
	for g := first; len(dst) > 0; g++ {
		group(&w, key, g)
		n := min(len(dst), GroupLen)
		for i := range dst[:n] {
			dst[i] = float32(w[i]>>8+1) * 0x1p-24
		}
		dst = dst[n:]
	}
}

func normalGeneric(dst []float32, first, seed uint64, step, stream uint32) {
	key := Key{seed, step, Stream(stream)}
	g := first
	for ; len(dst) >= GroupLen; g++ {
		normalGroup((*[GroupLen]float32)(dst), key, g)
		dst = dst[GroupLen:]
	}
	if len(dst) > 0 {
		var last [GroupLen]float32
		normalGroup(&last, key, g)
		copy(dst, last[:])
	}
}

func normalRowsGeneric(dst []float32, ids []uint64, d int, seed uint64, step, stream uint32) {
	for i, id := range ids {
		normalGeneric(dst[i*d:(i+1)*d], id*Groups(d), seed, step, stream)
	}
}

func noiseRowsGeneric(
	zl, eps, z, alpha, sigma []float32, ids []uint64, d int, seed uint64, step, stream uint32,
) {
	for i, id := range ids {
		e, x, y := eps[i*d:(i+1)*d], z[i*d:(i+1)*d], zl[i*d:(i+1)*d]
		normalGeneric(e, id*Groups(d), seed, step, stream)
		for j := range y {
			y[j] = fma32(sigma[i], e[j], alpha[i]*x[j])
		}
	}
}

// stepSize is h, or less where h times the drift of a row is longer than root, if that is
// positive: then the row is clipped.
func stepSize(h, root float32, z, g, p []float32, anchor float32) (size float32, clipped int) {
	if !(root > 0) {
		return h, 0
	}
	var acc [16]float32
	for j := range z {
		v := h * fma32(anchor, z[j], g[j]+p[j])
		acc[j%16] = fma32(v, v, acc[j%16])
	}
	if norm := fold(&acc); norm > float32(root*root) {
		return h * (root / sqrt32(norm)), 1
	}
	return h, 0
}

func overdampedGeneric(z, g, p, h []float32, ids []uint64, d int, anchor, root, heat float32,
	seed uint64, step, stream uint32) (clipped int) {
	var xi [GroupLen]float32
	for i, id := range ids {
		lo, hi := i*d, (i+1)*d
		size, cut := stepSize(h[i], root, z[lo:hi], g[lo:hi], p[lo:hi], anchor)
		clipped += cut
		noise := sqrt32(heat * h[i])
		for j, k := 0, lo; k < hi; j, k = j+1, k+1 {
			if j%GroupLen == 0 {
				normalGroup(&xi, Key{seed, step, Stream(stream)}, id*Groups(d)+uint64(j/GroupLen))
			}
			t := fma32(anchor, z[k], g[k]+p[k])
			z[k] = fma32(noise, xi[j%GroupLen], fma32(-size, t, z[k]))
		}
	}
	return clipped
}

func underdampedGeneric(z, u, g, p, h []float32, ids []uint64, d int,
	anchor, root, heat, keep float32, seed uint64, step, stream uint32) (clipped int) {
	var xi [GroupLen]float32
	for i, id := range ids {
		lo, hi := i*d, (i+1)*d
		size, cut := stepSize(h[i], root, z[lo:hi], g[lo:hi], p[lo:hi], anchor)
		clipped += cut
		noise := sqrt32(heat * h[i])
		for j, k := 0, lo; k < hi; j, k = j+1, k+1 {
			if j%GroupLen == 0 {
				normalGroup(&xi, Key{seed, step, Stream(stream)}, id*Groups(d)+uint64(j/GroupLen))
			}
			t := fma32(anchor, z[k], g[k]+p[k])
			u[k] = fma32(noise, xi[j%GroupLen], fma32(-size, t, keep*u[k]))
			z[k] += u[k]
		}
	}
	return clipped
}

func exactGeneric(z, u, g, p, h []float32, ids []uint64, d int, anchor float32, longest float64,
	keep, mean, drift, heat, rest float32, seed uint64, step, stream, other uint32) (clipped int) {
	var xi1, xi2 [GroupLen]float32
	for i, id := range ids {
		lo, hi := i*d, (i+1)*d
		force := func(k int) float32 { return p[k] + (g[k] + float32(anchor*z[k])) }
		slow, cut := exactScale(h[i], longest, lo, hi, force)
		clipped += cut
		root := sqrt32(h[i])
		for j, k := 0, lo; k < hi; j, k = j+1, k+1 {
			if j%GroupLen == 0 {
				first := id*Groups(d) + uint64(j/GroupLen)
				normalGroup(&xi1, Key{seed, step, Stream(stream)}, first)
				normalGroup(&xi2, Key{seed, step, Stream(other)}, first)
			}
			y := force(k) * slow
			w := fma32(rest, xi2[j%GroupLen], fma32(mean, u[k], drift*y))
			u[k] = fma32(heat, xi1[j%GroupLen], fma32(keep, u[k], -y))
			z[k] += float32(fma32(mean, u[k], w) * root)
		}
	}
	return clipped
}

// exactScale is sqrt(h), or less where h times the drift of a row is longer than longest, if that
// is positive: then the row is clipped.
func exactScale(h float32, longest float64, lo, hi int, drift func(k int) float32) (float32, int) {
	if !(longest > 0) {
		return sqrt32(h), 0
	}
	var acc [16]float32
	for k := lo; k < hi; k++ {
		t := drift(k)
		acc[(k-lo)%16] = fma32(t, t, acc[(k-lo)%16])
	}
	size := float64(h)
	if length := size * math.Sqrt(float64(fold(&acc))); length > longest {
		return float32(math.Sqrt(size) * (longest / length)), 1
	}
	return sqrt32(h), 0
}
