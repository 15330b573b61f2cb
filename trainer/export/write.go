package export

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/plume-ml/plume/trainer/checkpoint"
	"github.com/plume-ml/plume/trainer/file"
)

// Endings are those of the files that Write knows, by which it chooses what to write.
var Endings = []string{".safetensors", ".npz", ".onnx"}

// metadataKey is the key of the description in the metadata of a file, and with the ending .json
// the name of the member of an .npz that has it.
const metadataKey = "plume"

// Files lists the files that Write makes of a path: that one, and for ONNX, whose files hold one
// network each, those of the other networks: model.onnx has the decoder, model.score.onnx the score
// network and model.encoder.onnx the encoder.
func (m *Model) Files(path string) []string {
	files := []string{path}
	if filepath.Ext(path) != ".onnx" {
		return files
	}
	for _, name := range []string{Score, Encoder} {
		if _, ok := m.Networks[name]; ok {
			files = append(files, onnxPath(path, name))
		}
	}
	return files
}

// onnxPath is the file of a network.
func onnxPath(path, network string) string {
	base := strings.TrimSuffix(path, ".onnx")
	switch network {
	case Score:
		return base + ".score.onnx"
	case Encoder:
		return base + ".encoder.onnx"
	}
	return path
}

// Write stores the model in a file whose ending says what it is: .safetensors, .npz, or for its
// networks alone .onnx (Files). Each file appears complete or not at all. Errors name the file.
func (m *Model) Write(sys file.System, path string) error {
	text, err := json.Marshal(m.Description)
	if err != nil {
		return err
	}
	switch filepath.Ext(path) {
	case ".safetensors":
		about := map[string]string{metadataKey: string(text)}
		err = checkpoint.WriteFile(sys, path, about, m.Tensors)
	case ".npz":
		err = m.writeNPZ(sys, path, text)
	case ".onnx":
		return m.writeONNX(sys, path, text)
	default:
		return fmt.Errorf("%s: expected a name that ends in %s", path, strings.Join(Endings, ", "))
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
