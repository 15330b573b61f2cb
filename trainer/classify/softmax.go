package classify

import "math"

// crossEntropy replaces the logits of each row by the gradient of its cross-entropy, softmax -
// target, and returns the sum of the cross-entropies in nats. Row i has class class[i]. The target
// is 1 - smoothing for that class, plus smoothing spread evenly over all classes.
func crossEntropy(logits []float32, class []int, smoothing float64) (loss float64) {
	n := len(logits) / len(class)
	for i, c := range class {
		row := logits[i*n : (i+1)*n]
		logSum := logSumExp(row)
		for j, v := range row {
			target := smoothing / float64(n)
			if j == c {
				target += 1 - smoothing
			}
			logP := float64(v) - logSum
			loss -= target * logP
			row[j] = float32(math.Exp(logP) - target)
		}
	}
	return loss
}

// logSumExp is log(sum of exp(x)), without overflow.
func logSumExp(x []float32) float64 {
	largest := math.Inf(-1)
	for _, v := range x {
		largest = max(largest, float64(v))
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v) - largest)
	}
	return largest + math.Log(sum)
}
