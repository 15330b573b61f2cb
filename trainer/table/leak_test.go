package table_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Every test of the package must end the goroutines that it started.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
