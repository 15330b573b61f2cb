package main

import (
	"strings"
	"testing"

	measured "github.com/plume-ml/plume/trainer/machine"
)

func TestPrintRates(t *testing.T) {
	var text strings.Builder
	err := printRates(&text, measured.Rates{
		Workers: 2,
		FMA:     measured.Rate{One: 115.74e9, All: 231e9},
		AMX:     measured.Rate{One: 3780e9, All: 7.4e12},
		Pairs:   measured.Rate{One: 107e9, All: 213.5e9},
		Memory:  measured.Rate{One: 8.126e9, All: 45.85e9},
		Normals: measured.Rate{One: 999.6e6, All: 1.523e9},
		Gemm: []measured.Gemm{
			{Backend: "native", N: 512, Rate: measured.Rate{One: 0.536e9, All: 1.0721e9}},
		},
	})
	want := `measured           one core      2 cores at once
multiply-add peak  116 GFLOP/s   231 GFLOP/s
AMX peak, bf16     3.78 TFLOP/s  7.40 TFLOP/s
VDPBF16PS peak     107 GFLOP/s   214 GFLOP/s
memory bandwidth   8.13 GB/s     45.9 GB/s
normals            1000 M/s      1.52 G/s
sgemm 512, native  536 MFLOP/s   1.07 GFLOP/s
`
	if got := text.String(); err != nil || got != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}
