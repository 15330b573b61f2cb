package method

import (
	"slices"

	"github.com/plume-ml/plume/trainer/config"
)

// Idle lists the keys that were given, as given reports, with other values than the method's
// defaults, although the networks of the resolved configuration are of kinds that do not read them.
func Idle(c config.Config, given func(key string) bool) (names []string) {
	usual, err := DefaultFor(c.Method)
	if err != nil {
		return nil
	}
	changed := usual.Changed(c)
	conv, unet := c.Decoder == config.Conv, c.Score == config.ScoreUNet
	for _, k := range []struct {
		key  string
		read bool
	}{
		{"decoder_widths", !conv}, {"decoder_channels", conv}, {"decoder_blocks", conv},
		{"encoder_widths", c.Encoder != config.Conv},
		{"encoder_channels", c.Encoder == config.Conv},
		{"score_blocks", !unet}, {"unet_channels", unet}, {"unet_blocks", unet},
		{"score_heads", unet || c.Score == config.ScoreTransformer},
	} {
		if !k.read && given(k.key) && slices.Contains(changed, k.key) && Reads(c.Method, k.key) {
			names = append(names, k.key)
		}
	}
	return names
}
