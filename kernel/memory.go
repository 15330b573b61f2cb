package kernel

// Floats returns n zeros, for arrays that the loops go through again and again. They are in large
// pages where the system has them (on Linux, where /sys/kernel/mm/transparent_hugepage/enabled is
// madvise or always): a step touches more memory than a CPU's table of small pages covers. None of
// the package's loops allocates.
func Floats(n int) []float32 {
	x := make([]float32, n)
	if 4*n >= smallest {
		largePages(x)
	}
	return x
}

// smallest is the size in bytes from which Go gives an array pages of its own, with a margin.
const smallest = 64 << 10
