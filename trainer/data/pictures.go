package data

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/plume-ml/plume/trainer/data/files"
	"github.com/plume-ml/plume/trainer/data/raster"
	"github.com/plume-ml/plume/trainer/data/wav"
	"github.com/plume-ml/plume/trainer/memory"
)

// picture is a file that may be a picture.
type picture struct {
	file  files.File
	head  raster.Header
	sound *wav.Header // of a WAV file; nil: it is none
	err   error       // why it cannot be read
	other string      // what it is if it is not a picture
}

// gallery is a folder or an archive of pictures. It reads them for Found.
type gallery struct {
	path     string // of the source
	kind     string // files.Folder, files.Zip or files.Tar
	opt      Options
	pictures []picture  // sorted by name, including broken ones
	sounds   bool       // the pictures are WAV files, and the images signals
	labels   *labelling // nil: none
	shape    Shape      // of the images
	summary  *Summary
}

// findPictures describes the pictures in dir at any depth.
func findPictures(ctx context.Context, dir string, opt Options) (*Found, error) {
	source, err := files.Open(ctx, dir)
	if err != nil {
		return nil, sourceError(ctx, dir, err)
	}
	defer source.Close()
	return findGallery(ctx, dir, source, opt)
}

// findArchive describes the pictures in a .zip or .tar archive. It returns nil if the file is not
// an archive.
func findArchive(ctx context.Context, name string, opt Options) (*Found, error) {
	source, err := files.Open(ctx, name)
	if err != nil {
		return nil, sourceError(ctx, name, err)
	}
	if source == nil {
		return nil, nil
	}
	defer source.Close()
	return findGallery(ctx, name, source, opt)
}

// sourceError adds the name of the source to an error, or to ctx's error if ctx has ended.
func sourceError(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return fmt.Errorf("data: %s: %w", name, err)
}

// findGallery reads the headers of all pictures. With Size, the central square of each picture is
// scaled to Size x Size; otherwise all must have one size. Transparent pixels become white. The
// images have one channel if Gray is set or if no picture has any color.
func findGallery(
	ctx context.Context, name string, source files.Source, opt Options,
) (*Found, error) {
	g := &gallery{path: name, kind: source.Kind(), opt: opt, summary: &Summary{}}
	list, err := source.List(ctx, g.summary.skip)
	if err != nil {
		return nil, sourceError(ctx, name, err)
	}
	if err := g.readHeaders(ctx, source, list); err != nil {
		return nil, err
	}
	if g.sounds {
		g.shape, err = g.commonSignal(ctx, source)
	} else {
		g.shape, err = g.commonShape(ctx, source)
	}
	if err != nil {
		return nil, err
	}
	if err := g.findLabels(ctx, source, list); err != nil {
		return nil, err
	}
	return g.found(), nil
}

// readHeaders reads the headers of all files and keeps the pictures.
func (g *gallery) readHeaders(ctx context.Context, source files.Source, list []files.File) error {
	all := make([]picture, len(list))
	for i, f := range list {
		all[i].file = f
	}
	err := g.visit(ctx, source, list, "headers", func(i int, c raster.Content, err error) {
		p := &all[i]
		if err != nil {
			p.err = err
			return
		}
		p.readHeader(c)
	})
	if err != nil {
		return sourceError(ctx, g.path, err)
	}
	if g.takesSounds(all) {
		return g.keepSounds(all)
	}
	names := sync.OnceValue(func() map[string]bool { return known(list) })
	for _, p := range all {
		if kind := p.kind(names); kind != "" {
			g.summary.skip(kind, p.file.Name)
			continue
		}
		if p.other != "" {
			p.err = fmt.Errorf("is %s", p.other)
		}
		g.pictures = append(g.pictures, p)
	}
	if len(g.pictures) == 0 {
		return g.none(list)
	}
	if err := g.takeTraining(); err != nil {
		return err
	}
	g.summary.Format, g.summary.Notes = describe(g.pictures)
	return nil
}

// readHeader detects the format of the file and, if it is a picture, reads its header.
func (p *picture) readHeader(c raster.Content) {
	head := make([]byte, raster.HeadLen)
	n, err := c.ReadAt(head, 0)
	if n == 0 && c.Size() > 0 {
		p.err = err
		return
	}
	if wav.Is(head[:n]) {
		p.other, p.sound = waves, &wav.Header{}
		*p.sound, p.err = wav.ReadHeader(c)
		return
	}
	if raster.Sniff(head[:n]) == raster.None {
		p.other = raster.Other(head[:n])
		if p.other == "text" && c.Size() < maxLinkText && !isPictureName(p.file.Name) &&
			otherKinds[ending(p.file.Name)] == "" {
			p.other = linkText(c)
		}
		return
	}
	p.head, p.err = raster.ReadHeader(c)
	p.head.Format = raster.Sniff(head[:n])
}

// commonShape returns the shape of the images, that of all intact pictures.
func (g *gallery) commonShape(ctx context.Context, source files.Source) (Shape, error) {
	whole, err := g.whole(ctx, source)
	if err != nil {
		return Shape{}, err
	}
	shape := Shape{whole[0].head.Height, whole[0].head.Width, 3}
	if g.opt.Size > 0 {
		shape.H, shape.W = g.opt.Size, g.opt.Size
	} else if err := g.checkSizes(whole); err != nil {
		return Shape{}, err
	}
	if g.opt.Gray || !slices.ContainsFunc(whole, func(p picture) bool { return !p.head.Gray }) {
		shape.C = 1
	}
	return shape, checkMemory(g.path, len(whole), shape)
}

// found describes the data set. From then on, g's summary is that of the result.
func (g *gallery) found() *Found {
	n := 0
	for _, p := range g.pictures {
		if p.err == nil {
			n++
		}
	}
	if g.sounds {
		return g.foundSounds(n)
	}
	f := &Found{
		Len:     n,
		Shape:   g.shape,
		Bytes:   memory.Array[uint8](n, g.shape.Dim()),
		Summary: *g.summary,
		images:  g,
	}
	g.summary = &f.Summary
	f.Loading = g.loading(g.shape)
	if g.shape.C == 3 {
		f.Loading = max(f.Loading, f.Bytes/3) // for a copy with one channel, if all are gray
	}
	if g.labels != nil {
		f.addLabels(g.labels)
	}
	return f
}

// called is what the files are.
func (g *gallery) called() string {
	if g.sounds {
		return waves
	}
	return "pictures"
}
