package raster

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash"
	"hash/adler32"
	"hash/crc32"
	"io"
)

// rawBytes is the length of the pixel data before compression: for each row, a filter byte and the
// samples. An interlaced picture is stored as seven smaller ones.
func (p *pngChunks) rawBytes() int64 {
	samples := map[byte]int64{
		0: 1, pngColor: 3, pngColor | pngPalette: 1, pngAlpha: 2, pngColor | pngAlpha: 4,
	}[p.color]
	rows := func(w, h int64) int64 {
		if w <= 0 || h <= 0 {
			return 0
		}
		return h * (1 + (w*samples*int64(p.depth)+7)/8)
	}
	w, h := int64(p.size.X), int64(p.size.Y)
	if !p.interlaced {
		return rows(w, h)
	}
	var sum int64
	for _, pass := range [...]struct{ x, y, dx, dy int64 }{
		{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2},
		{0, 1, 1, 2},
	} {
		sum += rows((w-pass.x+pass.dx-1)/pass.dx, (h-pass.y+pass.dy-1)/pass.dy)
	}
	return sum
}

// withoutSurplus returns the pixel data, in uncompressed chunks, without any data that follow the
// last pixel, inside the compressed stream or after it.
func (p *pngChunks) withoutSurplus(c Content) (*storedChunks, error) {
	chunks := &chunkData{c: c, at: p.data.start, end: p.data.end}
	z, err := zlib.NewReader(bufio.NewReader(chunks))
	if err != nil {
		return nil, err
	}
	return &storedChunks{chunks: chunks, z: z, left: p.rawBytes(), sum: adler32.New()}, nil
}

// chunkData reads the data of consecutive chunks and checks their CRC.
type chunkData struct {
	c       Content
	at, end int64 // offset of the next read, and where the chunks end
	left    int64 // unread bytes of the current chunk's data
	crc     hash.Hash32
}

func (d *chunkData) Read(b []byte) (int, error) {
	for d.left == 0 {
		if err := d.next(); err != nil {
			return 0, err
		}
	}
	n, err := d.c.ReadAt(b[:min(int64(len(b)), d.left)], d.at)
	d.crc.Write(b[:n])
	d.at += int64(n)
	d.left -= int64(n)
	if n > 0 {
		return n, nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return 0, err
}

// next verifies the CRC of the current chunk and starts the next one.
func (d *chunkData) next() error {
	var b [8]byte
	if d.crc != nil {
		if err := readAt(d.c, b[:4], d.at); err != nil {
			return err
		}
		if d.crc.Sum32() != binary.BigEndian.Uint32(b[:]) {
			return errors.New("a chunk of pixel data has a wrong CRC")
		}
		d.at += 4
		d.crc = nil
	}
	if d.at >= d.end {
		return io.EOF
	}
	if err := readAt(d.c, b[:], d.at); err != nil {
		return err
	}
	d.at += 8
	d.left, d.crc = int64(binary.BigEndian.Uint32(b[:])), crc32.NewIEEE()
	d.crc.Write(b[4:])
	return nil
}

// storedChunks generates chunks of uncompressed pixel data, each a stored block of deflate.
type storedChunks struct {
	chunks *chunkData
	z      io.Reader
	left   int64 // bytes of pixel data still to be written
	sum    hash.Hash32
	begun  bool
	out    []byte // generated but not read yet
}

func (s *storedChunks) Read(b []byte) (int, error) {
	if len(s.out) == 0 {
		if s.begun && s.left == 0 {
			return 0, io.EOF
		}
		if err := s.block(); err != nil {
			return 0, err
		}
	}
	n := copy(b, s.out)
	s.out = s.out[n:]
	return n, nil
}

// block generates the next chunk.
func (s *storedChunks) block() error {
	n := min(s.left, 1<<16-1)
	s.left -= n
	out := append(make([]byte, 0, n+64), "\x00\x00\x00\x00IDAT"...)
	if !s.begun {
		out, s.begun = append(out, 0x78, 0x01), true
	}
	var last byte
	if s.left == 0 {
		last = 1
	}
	out = append(out, last, byte(n), byte(n>>8), ^byte(n), ^byte(n>>8))
	data := out[len(out) : len(out)+int(n)]
	if _, err := io.ReadFull(s.z, data); err != nil {
		return err
	}
	s.sum.Write(data)
	out = out[:len(out)+int(n)]
	if last == 1 {
		out = s.sum.Sum(out)
	}
	binary.BigEndian.PutUint32(out, uint32(len(out)-8))
	s.out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
	return nil
}

// rest checks the data after the last pixel: if the stream ends there, its checksum must match, and
// all chunks must be complete.
func (s *storedChunks) rest() error {
	var b [1]byte
	if _, err := io.ReadFull(s.z, b[:]); err != nil && err != io.EOF {
		return err
	}
	_, err := io.Copy(io.Discard, s.chunks)
	return err
}
