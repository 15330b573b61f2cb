package record

import (
	"encoding/json"
	"math"
	"testing"
)

func TestNumber(t *testing.T) {
	text, err := json.Marshal([]Number{1.5, Number(math.NaN()), Number(math.Inf(-1)), 0})
	if err != nil || string(text) != "[1.5,null,null,0]" {
		t.Fatalf("%s, %v", text, err)
	}
	var back []Number
	if err := json.Unmarshal(text, &back); err != nil || len(back) != 4 || back[0] != 1.5 ||
		back[1].Finite() || back[2].Finite() || back[3] != 0 {
		t.Errorf("%v, %v", back, err)
	}
	var n Number
	if err := json.Unmarshal([]byte(`"1"`), &n); err == nil {
		t.Error("a string was read as a number")
	}
}
