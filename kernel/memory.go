package kernel

// Floats is n zeros, for arrays that the loops go through again and again: where the system can, in
// large pages, since a step touches more memory than a CPU's table of small ones covers (on Linux,
// where /sys/kernel/mm/transparent_hugepage/enabled is madvise or always). It is the one function
// here that allocates.
func Floats(n int) []float32 {
	x := make([]float32, n)
	if 4*n >= smallest {
		largePages(x)
	}
	return x
}

// smallest is the size in bytes from which Go gives an array pages of its own, with a margin.
const smallest = 64 << 10
