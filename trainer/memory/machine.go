package memory

import "github.com/KimMachineGun/automemlimit/memlimit"

// Machine is how much memory this process may use: that of the machine, or less in a container
// (a control group of Linux) that has a limit; 0 where the system does not tell.
func Machine() int64 {
	limit := int64(0)
	for _, ask := range []memlimit.Provider{memlimit.FromSystem, memlimit.FromCgroup} {
		bytes, err := ask()
		if err != nil || bytes == 0 || bytes > huge {
			continue // no limit, or one that is none: the other may know one
		}
		if limit == 0 || int64(bytes) < limit {
			limit = int64(bytes)
		}
	}
	return limit
}
