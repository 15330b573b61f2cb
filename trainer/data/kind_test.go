package data

import "testing"

// Texts about images are about what the data are; names of files stay as they are.
func TestWords(t *testing.T) {
	const text = "nearest training images, 3 of 7 pixels of an image (image): /my-images/image.npy"
	for kind, want := range map[Kind]string{
		Pictures: text, "": text,
		Columns: "nearest training rows, 3 of 7 numbers of a row (row): /my-images/image.npy",
		Signals: "nearest training signals, 3 of 7 numbers of a signal (signal): " +
			"/my-images/image.npy",
	} {
		if got := kind.Words(text); got != want {
			t.Errorf("%s: %q, expected %q", kind, got, want)
		}
	}
}
