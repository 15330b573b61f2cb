package kernel

// native is the paths in assembly of this architecture: every 64-bit ARM CPU has NEON with
// multiply-add.
var native = []candidate{{&neonPath, AssemblyTiles, nil}}

// extensions is empty here.
var extensions []extension
