package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// parseSeconds reads a time above 0: 90s, 3m.
func parseSeconds(text string) (float64, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("--budget is %q; expected a time such as 90s, 3m or 1h30m", text)
	}
	return d.Seconds(), nil
}

// parseCount reads a number of 1 or more, possibly with a decimal prefix: 50M, 2e7.
func parseCount(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	unit := ""
	if err != nil {
		v, unit, err = humanize.ParseSI(text)
	}
	if err != nil || unit != "" || !(v >= 1) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("--evaluations is %q; expected a number such as 50M or 2e7", text)
	}
	return v, nil
}

// commandLine quotes plume and the arguments for a shell.
func commandLine(args []string) string {
	words := []string{"plume"}
	for _, arg := range args {
		plain := arg != "" && !strings.ContainsFunc(arg, func(r rune) bool {
			const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=:,./+@"
			return !strings.ContainsRune(plain, r)
		})
		if !plain {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}
