package memory

import (
	"bufio"
	"fmt"
	"os"
)

// Peak returns the most memory that this process has had resident so far; ok is false where that is
// unknown. On Linux it is VmHWM of proc(5): the maximum of getrusage(2) outlives exec(2), so that a
// small process would show the size of the large one that started it.
func Peak() (bytes int64, ok bool) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kilobytes int64
		if _, err := fmt.Sscanf(lines.Text(), "VmHWM: %d kB", &kilobytes); err == nil {
			return kilobytes << 10, true
		}
	}
	return 0, false
}
