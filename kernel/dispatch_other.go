//go:build !amd64 && !arm64

package kernel

// native is the paths in assembly of this architecture: none.
var native []candidate

// extensions is empty here.
var extensions []extension
