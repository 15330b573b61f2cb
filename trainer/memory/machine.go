package memory

import "github.com/KimMachineGun/automemlimit/memlimit"

// Machine returns how much memory this process may use, in bytes: that of the machine, or less in a
// container (a Linux control group) or under a limit of the address space (RLIMIT_AS on Linux). It
// returns 0 where that is unknown.
func Machine() int64 {
	bytes, _ := bound()
	return bytes
}

// Under returns " under ulimit -v", to be printed after the number, if that limit determines
// Machine, and otherwise the empty string.
func Under() string {
	if _, limited := bound(); limited {
		return " under ulimit -v"
	}
	return ""
}

// bound returns Machine's value and whether the limit of the address space determines it.
func bound() (bytes int64, limited bool) {
	for _, ask := range []memlimit.Provider{memlimit.FromSystem, memlimit.FromCgroup} {
		has, err := ask()
		if err != nil || has == 0 || has > huge {
			continue // no limit, or one too large to be one: try the other provider
		}
		if bytes == 0 || int64(has) < bytes {
			bytes = int64(has)
		}
	}
	if space, ok := addressSpace(); ok && (bytes == 0 || space < bytes) {
		return max(space, 1), true
	}
	return bytes, false
}
