package kernel

// GroupDepth is how many numbers of the depth make a group of MulGroups.
const GroupDepth = 32

// GroupsShape is the shape of MulGroups's tiles on the path in use: the most rows, and the columns,
// which are those of [TileShape].
func GroupsShape() (rows, cols int) { return active.groupRows, active.tileCols }

// MulGroups is one tile of a product in the order in which processors multiply numbers in bf16. Its
// arguments are those of [MulTile], with R from [GroupsShape], but every element is a sum over
// groups of 32 of the depth, counted from 0 over all parts, and that of a group two chains, of the
// even and of the odd numbers of the depth:
//
//	c[i*ldc+j] = start[i*lds+j]
//	for each group of k < n*parts:
//	    even, odd = +0, +0
//	    for k in the group, k even: even = fma(a[i*rs+k*cs+k/n*jump], b[k*C+j], even)
//	    for k in the group, k odd:  odd  = fma(a[i*rs+k*cs+k/n*jump], b[k*C+j], odd)
//	    c[i*ldc+j] = c[i*ldc+j] + (even + odd)
//
// The last group may be shorter, by zeros that are left out. Where there are several parts, n is a
// multiple of 32. Of factors that [RoundRows] rounded this is, bit for bit, what the instruction
// TDPBF16PS makes, and a product may be interrupted after any group. start may be c, with the same
// stride; with the stride 0, one row starts all.
func MulGroups(c []float32, ldc int, start []float32, lds int, a []float32, rs, cs, jump int,
	b []float32, rows, n, parts int) {
	check(parts == 1 || n%GroupDepth == 0)
	if multiplies(active.groupRows, c, ldc, start, lds, a, rs, cs, jump, b, rows, n, parts) {
		active.mulGroups(c, ldc, start, lds, a, rs, cs, jump, b, rows, n, parts)
	}
}

// RoundRows rounds factors of products to bf16: dst[i*ldd+j] = bf16(alpha*src[i*lds+j]) for
// i < rows, j < cols <= [MaxRow]. First alpha*src is rounded to float32.
//
// bf16(x) is the float32 with eight significant bits nearest to x, the even one of two, so that the
// lower 16 of its bits are zero. Where |x| < 2^-56, before rounding, it is zero with the sign of x:
// then products are multiples of 2^-126, and no sum of them is denormal, which some processors
// would take for zero. Beyond the largest such number it is infinite, and of NaN it is a NaN.
//
// Rows of src may overlap. dst may be src, with the same stride.
func RoundRows(dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32) {
	eachStrip(active.roundRows, dst, ldd, src, lds, cols, rows, alpha)
}

// RoundRest rounds what [RoundRows] leaves: with x = alpha*src[i*lds+j], rounded to float32, it is
// dst[i*ldd+j] = bf16(x - bf16(x)), or +0 where bf16(x) is not finite. The two rounded numbers
// together have 16 significant bits of x.
func RoundRest(dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32) {
	eachStrip(active.roundRest, dst, ldd, src, lds, cols, rows, alpha)
}

// RoundPairs is RoundRows with the numbers of every pair along a row exchanged: dst[i*ldd+j] =
// bf16(alpha*src[i*lds+j^1]). cols is even. Where pairs of the depth are exchanged in both factors,
// [MulTile] adds products in the order of the instruction VDPBF16PS.
func RoundPairs(dst []float32, ldd int, src []float32, lds, cols, rows int, alpha float32) {
	check(cols%2 == 0)
	eachStrip(active.roundPairs, dst, ldd, src, lds, cols, rows, alpha)
}
