package comm

// Forecast is a Comm to count with, of so many ranks, of which this is the first. Its calls do
// nothing.
type Forecast struct {
	Alone
	Ranks int
}

// Size implements Comm.
func (f Forecast) Size() int { return f.Ranks }
