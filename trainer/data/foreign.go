package data

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/plume-ml/plume/trainer/data/wav"
)

// foreign names the format of a file that cannot be read, and says how to convert it.
func (s *source) foreign(k kind) string {
	head, _ := s.r.Peek(foreignHead) // less if the file is shorter
	if k == kindOther {
		if says := foreigner(head); says != "" {
			return says
		}
		if isText(head) {
			return "text; expected " + accepted + " (a table has two lines or more of as many " +
				"cells each, with commas, semicolons, tabs or bars between them; one of a single " +
				"column has a name that ends in .csv)"
		}
	}
	return k.String() + "; expected " + accepted
}

// foreigner says what a file is that begins like this and cannot be read; "" if it is not known.
func foreigner(head []byte) string {
	head = head[:min(len(head), foreignHead)]
	for _, f := range foreigners {
		if f.is(head) {
			return f.says
		}
	}
	return ""
}

const foreignHead = 512

const pickleRemedy = ", which can run code when it is loaded and so is not read; of CIFAR take " +
	"the binary version, and of others save the array from Python: numpy.save('x.npy', x)"

func isPickle(head []byte) bool {
	return len(head) >= 2 && head[0] == 0x80 && 2 <= head[1] && head[1] <= 5
}

func begins(magic ...string) func([]byte) bool {
	return func(head []byte) bool {
		for _, m := range magic {
			if bytes.HasPrefix(head, []byte(m)) {
				return true
			}
		}
		return false
	}
}

func isTar(head []byte) bool {
	const at = 257 // offset of "ustar" (POSIX.1-1988)
	return len(head) >= at+5 && string(head[at:at+5]) == "ustar"
}

// isText reports whether head is printable text, including white space.
func isText(head []byte) bool {
	for i := 0; i < len(head); {
		r, n := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && len(head)-i >= utf8.UTFMax || !unicode.IsPrint(r) &&
			!unicode.IsSpace(r) && r != utf8.RuneError {
			return false
		}
		i += n
	}
	return len(head) > 0
}

// foreigners are other formats in which images are distributed, tried in this order.
var foreigners = []struct {
	is   func(head []byte) bool
	says string
}{
	{isPickle, "a Python pickle" + pickleRemedy},
	{begins("MATLAB 7.3", "\x89HDF\r\n\x1a\n"), "an HDF5 file (as MATLAB 7.3 writes too); save " +
		"its array: numpy.save('x.npy', h5py.File(f)['NAME'][:])"},
	{begins("MATLAB"), "a MATLAB file; save its array: numpy.save('x.npy', " +
		"scipy.io.loadmat(f)['NAME']), pictures as M x H x W x C " +
		"(from H x W x C x M: x.transpose(3, 0, 1, 2))"},
	{wav.Is, "a WAV file; expected a directory or an archive of them, with a signal in each"},
	{begins("PAR1"), "a Parquet file, which a program reads if it imports " +
		"github.com/plume-ml/plume/trainer/table"},
	{isTar, "a damaged tar archive: the checksum of its first header is wrong"},
	{begins("version https://git-lfs.github.com/spec/"),
		"the pointer that Git LFS keeps in place " +
			"of a file; fetch the file itself: git lfs pull"},
	{begins("<!DOCTYPE", "<!doctype", "<html", "<HTML"), "an HTML page, perhaps what a failed " +
		"download left; fetch the file again"},
}
