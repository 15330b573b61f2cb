package serve

import (
	"os"
	"slices"
	"sync"
	"time"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/page"
)

const (
	mostModels = 32 // runs whose models are remembered

	// modelShare is the most of its time that a run in progress is kept busy beside, by drawing
	// from its newest checkpoint.
	modelShare = 0.1
)

// models draws and measures with the models of runs, one at a time, and remembers what came of it.
type models struct {
	server *Server

	mu      sync.Mutex
	known   []*model // the one that was asked for last is the last
	waiting []*model
	working bool
}

// model is what is known of a run by its model.
type model struct {
	dir    string
	read   *page.Run // nil: nothing yet
	key    string    // what read is of
	wanted string    // what it should be of
	o      page.Options
	took   time.Duration
	ended  time.Time
}

func newModels(s *Server) *models { return &models{server: s} }

// of returns what is known by the model of a run, nil if nothing is, and sees to it that there will
// be something newer if there can be: soon reports whether that is on its way.
func (m *models) of(dir string, running bool) (read *page.Run, soon bool) {
	if m.server.Measure == page.Written {
		return nil, false
	}
	latest, err := checkpoint.LatestWhole(dir)
	if err != nil {
		return nil, false
	}
	info, err := os.Stat(latest)
	if err != nil {
		return nil, false
	}
	o := m.server.pageOptions(m.server.runs.name(dir))
	if running {
		o.Measure = page.None
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.remembered(dir)
	k.wanted = latest + " " + info.ModTime().String() + " " + string(o.Measure)
	rest := time.Duration(float64(k.took) * (1/modelShare - 1))
	due := !running || time.Since(k.ended) >= rest
	if k.key != k.wanted && due && !slices.Contains(m.waiting, k) {
		k.o = o
		m.waiting = append(m.waiting, k)
		if !m.working {
			m.working = true
			m.server.background(m.work)
		}
	}
	return k.read, slices.Contains(m.waiting, k)
}

// remembered returns the model of a run, which it may forget others for.
func (m *models) remembered(dir string) *model {
	i := slices.IndexFunc(m.known, func(k *model) bool { return k.dir == dir })
	if i < 0 {
		m.known = append(m.known, &model{dir: dir})
		if len(m.known) > mostModels {
			m.known = m.known[1:]
		}
		return m.known[len(m.known)-1]
	}
	k := m.known[i]
	m.known = append(slices.Delete(m.known, i, i+1), k)
	return k
}

// work reads models until none is wanted.
func (m *models) work() {
	for {
		m.mu.Lock()
		if len(m.waiting) == 0 || m.server.ctx.Err() != nil {
			m.working = false
			m.mu.Unlock()
			return
		}
		k := m.waiting[0]
		o, key := k.o, k.wanted
		m.mu.Unlock()

		start := time.Now()
		read, err := page.ReadRun(m.server.ctx, k.dir, page.MostRuns, o)
		m.mu.Lock()
		m.waiting = m.waiting[1:]
		k.key, k.took, k.ended = key, time.Since(start), time.Now()
		if err == nil {
			k.read = read
		}
		m.mu.Unlock()
		if err != nil && m.server.ctx.Err() == nil {
			m.server.Warn(k.dir + ": " + err.Error())
		}
		m.server.wake()
	}
}
