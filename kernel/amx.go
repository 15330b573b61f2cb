package kernel

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// AMX has to be asked for: the system saves tile registers, which are large, only for processes
// that it permitted to use them, and kills others at the first instruction. So AMX is never tried;
// it is asked for once, in the initialisation of the package.

// EnvAMX names the environment variable that keeps AMX from being asked for, if it is 0.
const EnvAMX = "PLUME_AMX"

// AMX reports whether products of halves run on AMX, and if not, why.
func AMX() (used bool, why string) {
	for _, e := range extended {
		if e.name == amxName {
			return true, ""
		}
	}
	if want := os.Getenv(EnvPath); want != "" && want != amxName {
		return false, EnvPath + "=" + want
	}
	for i := range extensions {
		if e := &extensions[i]; e.name == amxName {
			return false, e.lacks().Error()
		}
	}
	return false, errNoCPU.Error()
}

const amxName = "amx"

// errAMX is what is wrong with the value of EnvAMX.
var errAMX = checkAMX(os.Getenv(EnvAMX))

func checkAMX(value string) error {
	if value == "" || value == "0" || value == "1" {
		return nil
	}
	return fmt.Errorf("%s=%s: 0 keeps AMX from being used, and 1 is the default", EnvAMX, value)
}

// permitted asks for AMX at its first call, and returns why it may not be used, or nil.
var permitted = sync.OnceValue(func() error { return thisSystem.ask(os.Getenv(EnvAMX)) })

// tileSystem is what can be asked about tile registers.
type tileSystem struct {
	saved   func() uint64          // the state that the system saves, XCR0
	request func(state int) error  // nil: there is no such request
	shows   func() (uint64, error) // the state that it says it permitted
}

// The components of a processor's state that are the configuration of tiles and their contents.
const tileConfig, tileData = 17, 18

// ask asks a system for AMX, which the CPU has, and returns why it may not be used, or nil.
func (s tileSystem) ask(env string) error {
	const both = 1<<tileConfig | 1<<tileData
	if env == "0" {
		return errors.New(EnvAMX + "=0")
	}
	if s.request == nil {
		return errors.New("only Linux can be asked for it")
	}
	if saved := s.saved(); saved&both != both {
		return fmt.Errorf("the system does not save its registers (XCR0 is %#x)", saved)
	}
	if err := s.request(tileData); err != nil {
		return fmt.Errorf("the system does not permit it: %w", err)
	}
	shown, err := s.shows()
	if err == nil && shown&(1<<tileData) == 0 {
		err = fmt.Errorf("the state is %#x", shown)
	}
	if err != nil {
		return fmt.Errorf("the system permitted it but does not show it: %w", err)
	}
	return nil
}
