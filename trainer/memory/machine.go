package memory

import "github.com/KimMachineGun/automemlimit/memlimit"

// Machine is how much memory this process may use: that of the machine, or less in a container
// (a control group of Linux) or under a limit of its address space (RLIMIT_AS of Linux); 0 where
// the system does not tell.
func Machine() int64 {
	bytes, _ := bound()
	return bytes
}

// Under is " under ulimit -v" if that is what bounds Machine, to be said behind the number, or
// empty.
func Under() string {
	if _, limited := bound(); limited {
		return " under ulimit -v"
	}
	return ""
}

// bound is Machine; limited tells whether the address space is what bounds it.
func bound() (bytes int64, limited bool) {
	for _, ask := range []memlimit.Provider{memlimit.FromSystem, memlimit.FromCgroup} {
		has, err := ask()
		if err != nil || has == 0 || has > huge {
			continue // no limit, or one that is none: the other may know one
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
