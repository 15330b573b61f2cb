package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// seedList is the seeds of --seeds: ranges in the order given, each with the number of seeds up to
// its end.
type seedList []seedRange

type seedRange struct {
	lo, hi int64 // both are seeds
	end    int
}

// parseSeeds reads seeds such as 3,7,10-12. No seed may be there twice.
func parseSeeds(text string) (list seedList, err error) {
	refuse := func(why string) (seedList, error) {
		return nil, fmt.Errorf("--seeds is %q: %s; expected seeds and ranges of them, separated "+
			"by commas, such as 0-999 or 3,7,10-12", text, why)
	}
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		// Tables have them as signed integers.
		lo, errLo := strconv.ParseUint(from, 10, 63)
		hi, errHi := strconv.ParseUint(to, 10, 63)
		switch {
		case errLo != nil || errHi != nil:
			return refuse(fmt.Sprintf("%q is no seed", part))
		case lo > hi:
			return refuse(fmt.Sprintf("%q ends before it begins", part))
		case hi-lo >= maxSamples || list.len()+int(hi-lo) >= maxSamples:
			return refuse(fmt.Sprintf("more than %d", maxSamples))
		}
		list = append(list, seedRange{int64(lo), int64(hi), list.len() + int(hi-lo) + 1})
	}
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b seedRange) int { return cmp.Compare(a.lo, b.lo) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].lo <= sorted[i-1].hi {
			return refuse(fmt.Sprintf("%d is there twice", sorted[i].lo))
		}
	}
	return list, nil
}

// len is the number of seeds.
func (l seedList) len() int {
	if len(l) == 0 {
		return 0
	}
	return l[len(l)-1].end
}

// at is seed i.
func (l seedList) at(i int) int64 {
	r := l[sort.Search(len(l), func(k int) bool { return i < l[k].end })]
	return r.hi - int64(r.end-1-i)
}

// digits is the length of the largest seed.
func (l seedList) digits() int {
	largest := int64(math.MinInt64)
	for _, r := range l {
		largest = max(largest, r.hi)
	}
	return len(strconv.FormatInt(largest, 10))
}
