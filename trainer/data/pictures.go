package data

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/plume-ml/plume/trainer/data/files"
	"github.com/plume-ml/plume/trainer/data/raster"
	"github.com/plume-ml/plume/trainer/memory"
)

// picture is a picture of a source.
type picture struct {
	file  files.File
	head  raster.Header
	err   error  // why it cannot be read
	other string // what it is if it is no picture
}

// gallery is a folder or an archive of pictures.
type gallery struct {
	path     string // of the source
	kind     string // of source
	opt      Options
	pictures []picture  // sorted by name, broken ones among them
	labels   *labelling // of the files' names; nil: none
	summary  Summary
}

// findPictures looks at the pictures in and below dir.
func findPictures(ctx context.Context, dir string, opt Options) (*Found, error) {
	source, err := files.Open(ctx, dir)
	if err != nil {
		return nil, sourceError(ctx, dir, err)
	}
	defer source.Close()
	return findGallery(ctx, dir, source, opt)
}

// findArchive looks at the pictures in a .zip or .tar archive; nil if the file is none.
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

// sourceError names the source in an error.
func sourceError(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return fmt.Errorf("data: %s: %w", name, err)
}

// findGallery looks at the headers of all pictures. Transparent pixels lie on white. With Size, the
// central square of each is scaled to Size x Size; otherwise all must have one size. The data
// have one channel if Gray is set or if no picture has any color.
func findGallery(
	ctx context.Context, name string, source files.Source, opt Options,
) (*Found, error) {
	g := &gallery{path: name, kind: source.Kind(), opt: opt}
	list, err := source.List(ctx, g.summary.pass)
	if err != nil {
		return nil, sourceError(ctx, name, err)
	}
	if err := g.look(ctx, source, list); err != nil {
		return nil, err
	}
	shape, err := g.shape(ctx, source)
	if err != nil {
		return nil, err
	}
	if err := g.findLabels(ctx, source, list); err != nil {
		return nil, err
	}
	return g.found(shape), nil
}

// look reads the headers, and sorts out what is no picture.
func (g *gallery) look(ctx context.Context, source files.Source, list []files.File) error {
	all := make([]picture, len(list))
	for i, f := range list {
		all[i].file = f
	}
	err := source.Visit(ctx, list, func(i int, c raster.Content, err error) {
		p := &all[i]
		if err != nil {
			p.err = err
			return
		}
		p.look(c)
	})
	if err != nil {
		return sourceError(ctx, g.path, err)
	}
	names := sync.OnceValue(func() map[string]bool { return known(list) })
	for _, p := range all {
		if kind := p.kind(names); kind != "" {
			g.summary.pass(kind, p.file.Name)
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
	g.summary.Format, g.summary.Notes = describe(g.pictures)
	return nil
}

// look reads what the file is and, of a picture, its header.
func (p *picture) look(c raster.Content) {
	head := make([]byte, raster.HeadLen)
	n, err := c.ReadAt(head, 0)
	if n == 0 && c.Size() > 0 {
		p.err = err
		return
	}
	if raster.Sniff(head[:n]) == raster.None {
		p.other = raster.Other(head[:n])
		if p.other == "text" && c.Size() < maxLinkText && !claims(p.file.Name) &&
			otherKinds[ending(p.file.Name)] == "" {
			p.other = linkText(c)
		}
		return
	}
	p.head, p.err = raster.ReadHeader(c)
	p.head.Format = raster.Sniff(head[:n])
}

// shape is that of all pictures that are not broken.
func (g *gallery) shape(ctx context.Context, source files.Source) (Shape, error) {
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

// found is what Find returns.
func (g *gallery) found(shape Shape) *Found {
	n := 0
	for _, p := range g.pictures {
		if p.err == nil {
			n++
		}
	}
	f := &Found{
		Len:     n,
		Shape:   shape,
		Bytes:   memory.Array[uint8](n, shape.Dim()),
		Summary: g.summary,
	}
	f.Loading = g.loading(shape)
	if shape.C == 3 {
		f.Loading = max(f.Loading, f.Bytes/3) // if it turns out that there is no color
	}
	if g.labels != nil {
		f.Bytes += memory.Array[int32](n)
	}
	f.read = func(ctx context.Context) (*array, error) {
		a, err := g.read(ctx, shape)
		f.Summary.Format, f.Summary.Notes = g.summary.Format, g.summary.Notes
		f.Summary.PassedOver = g.summary.PassedOver
		return a, err
	}
	return f.named(baseName(g.path))
}
