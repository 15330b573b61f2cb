package data

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plume-ml/plume/trainer/data/files"
	"github.com/plume-ml/plume/trainer/data/raster"
	"github.com/plume-ml/plume/trainer/data/wav"
	"github.com/plume-ml/plume/trainer/memory"
)

// waves are the sounds that can be read.
const waves = "WAV files"

// Sounds reports whether the source has a WAV file for each row.
func (s Summary) Sounds() bool { return strings.HasPrefix(s.Format, waves) }

// readable is what the files should be.
func (g *gallery) readable() string {
	if g.sounds {
		return waves + " of PCM or floats"
	}
	return readable
}

// takesSounds reports whether the WAV files of a source are its data: if signals are asked for, or
// if nothing is and there are no pictures beside them.
func (g *gallery) takesSounds(all []picture) bool {
	if g.opt.As != "" && g.opt.As != Auto {
		return g.opt.As == Signals
	}
	isPicture := func(p picture) bool {
		return p.head.Format != raster.None || isPictureName(p.file.Name)
	}
	isSound := func(p picture) bool { return p.sound != nil }
	return slices.ContainsFunc(all, isSound) && !slices.ContainsFunc(all, isPicture)
}

// keepSounds keeps the WAV files of all files, by their content or their names.
func (g *gallery) keepSounds(all []picture) error {
	g.sounds = true
	names := map[string]bool{}
	var list []files.File
	for _, p := range all {
		list = append(list, p.file)
		if p.sound == nil && otherKinds[ending(p.file.Name)] != waves {
			kind := p.kind(func() map[string]bool { return names })
			g.summary.skip(cmp.Or(kind, "pictures"), p.file.Name)
			continue
		}
		if p.sound == nil && p.err == nil {
			p.err = fmt.Errorf("is %s", cmp.Or(p.other, "a picture"))
		}
		g.pictures = append(g.pictures, p)
	}
	if len(g.pictures) == 0 {
		return g.none(list)
	}
	if err := g.takeTraining(); err != nil {
		return err
	}
	return g.opt.refuse(g.path, g.kind+" of "+waves)
}

// commonSignal returns the shape of the signals: that of all intact files, cut to Options.Length,
// without those that are shorter.
func (g *gallery) commonSignal(ctx context.Context, source files.Source) (Shape, error) {
	whole, err := g.whole(ctx, source)
	if err != nil {
		return Shape{}, err
	}
	first := whole[0]
	for _, p := range whole {
		if p.sound.Rate != first.sound.Rate || p.sound.Channels != first.sound.Channels {
			return Shape{}, fmt.Errorf("data: %s: WAV files differ: %s has %s, and %s has %s; "+
				"expected one sample rate and number of channels: convert them first, as with "+
				"sox or ffmpeg", g.path, printable(first.file.Name), layoutOf(first),
				printable(p.file.Name), layoutOf(p))
		}
	}
	if rate := g.opt.SampleRate; rate != 0 && rate != float64(first.sound.Rate) {
		return Shape{}, fmt.Errorf("data: %s: --sample-rate is %v, and its WAV files have %s; "+
			"expected no --sample-rate, which is for arrays", g.path, rate, layoutOf(first))
	}
	length, err := g.commonLength(whole)
	if err != nil {
		return Shape{}, err
	}
	g.summary.SampleRate = float64(first.sound.Rate)
	g.summary.Format, g.summary.Notes = describeSounds(whole, length)
	shape := Shape{1, length, first.sound.Channels}
	return shape, checkMemory(g.path, len(whole), shape)
}

func layoutOf(p picture) string {
	return fmt.Sprintf("%s of %s Hz", counted(p.sound.Channels, "channels"),
		thousands(p.sound.Rate))
}

// commonLength returns the number of samples of the signals, and passes over files that have fewer.
func (g *gallery) commonLength(whole []picture) (int, error) {
	byLength := func(a, b picture) int { return a.sound.Samples - b.sound.Samples }
	shortest := slices.MinFunc(whole, byLength)
	longest := slices.MaxFunc(whole, byLength)
	length := g.opt.Length
	switch {
	case length == 0 && shortest.sound.Samples == longest.sound.Samples:
		return shortest.sound.Samples, nil
	case length == 0:
		return 0, fmt.Errorf("data: %s: WAV files differ in length, from %s samples (%s) to %s "+
			"(%s); expected one length: --length N takes the first N samples of each and passes "+
			"over shorter files, such as --length %d", g.path, thousands(shortest.sound.Samples),
			printable(shortest.file.Name), thousands(longest.sound.Samples),
			printable(longest.file.Name), shortest.sound.Samples)
	case length > longest.sound.Samples:
		return 0, fmt.Errorf("data: %s: --length is %d, and the longest file, %s, has %d samples; "+
			"expected at most that", g.path, length, printable(longest.file.Name),
			longest.sound.Samples)
	}
	g.pictures = slices.DeleteFunc(g.pictures, func(p picture) bool {
		short := p.err == nil && p.sound.Samples < length
		if short {
			g.summary.skip(waves+" of fewer samples than --length", p.file.Name)
		}
		return short
	})
	return length, nil
}

// describeSounds counts the files of each format.
func describeSounds(whole []picture, length int) (format string, notes []string) {
	counts := map[string]int{}
	longer := tally{}
	for _, p := range whole {
		if p.sound.Samples < length {
			continue
		}
		counts[p.sound.String()]++
		longer.add(p.sound.Samples > length, p.file.Name)
	}
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, thousands(counts[kind])+" "+kind)
	}
	if longer.count > 0 {
		notes = append(notes, fmt.Sprintf("the first %s of %s that are longer (%s)",
			counted(length, "samples"), thousands(longer.count), longer.list()))
	}
	return waves + " (" + strings.Join(parts, ", ") + ")", notes
}

// foundSounds describes n signals.
func (g *gallery) foundSounds(n int) *Found {
	f := &Found{
		Len: n, Kind: Signals, Shape: g.shape, Bytes: memory.Array[float32](n, g.shape.Dim()),
		Summary: *g.summary, images: g,
	}
	g.summary = &f.Summary
	if g.labels != nil {
		f.addLabels(g.labels)
	}
	return f
}

// readSounds reads the WAV files; place is as that of places, for n files.
func (g *gallery) readSounds(
	ctx context.Context, source files.Source, place []int, n int,
) (*array, error) {
	d := g.shape.Dim()
	a := &array{kind: Signals, shape: g.shape, m: n, f32: make([]float32, n*d)}
	err := g.each(ctx, source, func(i int, c raster.Content) error {
		header, err := wav.ReadHeader(c)
		if was := g.pictures[i].sound; err == nil && (header.Channels != was.Channels ||
			header.Rate != was.Rate || header.Samples < g.shape.W) {
			err = fmt.Errorf("changed while it was being read")
		}
		if err != nil {
			return err
		}
		return header.Read(c, a.f32[place[i]*d:][:d])
	})
	if err != nil {
		return nil, err
	}
	return a, g.keepWhole(a, place)
}
