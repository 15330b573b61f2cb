// Command soak trains for a long time in one process, with frequent reports, checkpoints and
// resumptions, and fails if the process grows:
//
//	go run ./bench/soak -minutes 60
//
// It prints a line for each sample. The exit code is 0, or 1 if the process grew or the training
// failed, or 2 if there is no verdict; "go run" itself turns both into 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/plume-ml/plume/trainer/config"
)

const (
	exitGrew      = 1
	exitNoVerdict = 2
)

func main() {
	minutes := flag.Float64("minutes", 60, "how long to train")
	interval := flag.Duration("interval", time.Minute,
		"time between samples; less for a few minutes")
	leak := flag.Int("leak", 0, "`bytes` to leak at each step, to see that they are found")
	cloud := flag.String("cloud", "memory", "where the particles lie: memory or file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "soak")
	if err == nil {
		end := time.Now().Add(time.Duration(*minutes * float64(time.Minute)))
		last := time.Now()
		s := soak{
			dir: dir, cloud: config.Cloud(*cloud), leak: *leak, part: 200,
			over: func(int) bool { return time.Now().After(end) },
			due: func(int) bool {
				if time.Since(last) < *interval {
					return false
				}
				last = time.Now()
				return true
			},
			report: func(x sample) { fmt.Println(x) },
		}
		err = errors.Join(s.run(ctx), os.RemoveAll(dir))
		if err == nil {
			err = judge(s.samples)
		}
	}
	switch {
	case errors.Is(err, errTooShort):
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(exitNoVerdict)
	case err != nil:
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(exitGrew)
	}
	fmt.Println("soak: nothing grew")
}
