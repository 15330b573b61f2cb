package table

// Begin is Create on a file system and a stdout of the test.
var Begin = create

// GroupBytes and SpoolBytes are the sizes at which blocks are written.
const (
	GroupBytes = groupBytes
	SpoolBytes = spoolBytes
)
