package page

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/plume-ml/plume/trainer/run"
)

const (
	mostFrames   = 24
	pictureBytes = 40 << 20 // of the pictures of all runs
)

// budget is how many bytes of pictures are left. What has no room is left out.
type budget struct {
	left int
	link func(name string, changed time.Time) string // of what runs have written; nil: none
}

// picture takes an encoded PNG, unless there is no room for it.
func (b *budget) picture(title, about string, text []byte) (Picture, bool, error) {
	config, err := png.DecodeConfig(bytes.NewReader(text))
	if err != nil {
		return Picture{}, false, err
	}
	uri := "data:image/png;base64," + base64.StdEncoding.EncodeToString(text)
	if len(uri) > b.left {
		return Picture{}, false, nil
	}
	b.left -= len(uri)
	return Picture{
		Title: title, About: about, URI: template.URL(uri), Width: config.Width,
		Height: config.Height,
	}, true, nil
}

// draw takes a picture.
func (b *budget) draw(title, about string, drawn image.Image) (Picture, bool, error) {
	var text bytes.Buffer
	if err := png.Encode(&text, drawn); err != nil {
		return Picture{}, false, err
	}
	return b.picture(title, about, text.Bytes())
}

// reportName is the name of a picture that a run writes: what it shows, and after how many steps.
var reportName = regexp.MustCompile(`^([a-z]+)-(\d+)\.png$`)

// stored is a picture that a run has written.
type stored struct {
	step    int
	path    string
	bytes   int // in the page
	changed time.Time
}

// pictureFiles are the pictures of a kind in the directory of a run, in the order of their steps.
func pictureFiles(dir, kind string) (files []stored, err error) {
	paths, err := run.Pictures(dir)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		match := reportName.FindStringSubmatch(filepath.Base(path))
		if match == nil || match[1] != kind {
			continue
		}
		step, err := strconv.Atoi(match[2])
		if err != nil {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		size := base64.StdEncoding.EncodedLen(int(info.Size())) + 32
		files = append(files, stored{step, path, size, info.ModTime()})
	}
	slices.SortFunc(files, func(a, b stored) int { return cmp.Compare(a.step, b.step) })
	return files, nil
}

// fitting chooses as many of the files, at equal distances, as have room in so many bytes: the
// last among them, if any.
func fitting(files []stored, bytes int) (chosen []stored) {
	for most := min(mostFrames, len(files)); most > 0; most-- {
		chosen, left := []stored(nil), bytes
		for _, i := range spaced(len(files), most) {
			chosen = append(chosen, files[i])
			left -= files[i].bytes
		}
		if left >= 0 {
			return chosen
		}
	}
	return nil
}

// read reads a picture, or only its size if it is linked.
func (b *budget) read(title string, f stored) (Picture, bool, error) {
	if b.link == nil {
		text, err := os.ReadFile(f.path)
		if err != nil {
			return Picture{}, false, err
		}
		return b.picture(title, "", text)
	}
	file, err := os.Open(f.path)
	if err != nil {
		return Picture{}, false, err
	}
	defer file.Close()
	config, err := png.DecodeConfig(file)
	if err != nil {
		return Picture{}, false, err
	}
	uri := b.link(filepath.Base(f.path), f.changed)
	return Picture{
		Title: title, URI: template.URL(uri), Width: config.Width, Height: config.Height,
	}, true, nil
}

// strip reads the pictures of a kind that a run has written, in so many bytes.
func (b *budget) strip(s Strip, dir, kind string, bytes int) (Strip, error) {
	files, err := pictureFiles(dir, kind)
	if err != nil {
		return s, err
	}
	if b.link != nil {
		for i := range files {
			files[i].bytes = 0
		}
	}
	chosen := fitting(files, min(bytes, b.left))
	s.Left = len(files) - len(chosen)
	for _, f := range chosen {
		p, fits, err := b.read(s.Title, f)
		if err != nil {
			return s, fmt.Errorf("%s: expected a picture: %w", f.path, err)
		}
		if fits {
			s.Frames = append(s.Frames, Frame{Step: f.step, Picture: p})
		}
	}
	return s, nil
}
