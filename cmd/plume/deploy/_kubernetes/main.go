// Command kubernetes checks Kubernetes manifests, given by their files, against the types of the
// API: unknown and repeated fields, wrong types and values that the API server refuses are errors.
// It is a module of its own, since plume needs none of this.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// kinds makes the object of a kind that a manifest may have.
var kinds = map[string]func() any{
	"batch/v1 Job":             func() any { return new(batch.Job) },
	"v1 ConfigMap":             func() any { return new(core.ConfigMap) },
	"v1 PersistentVolumeClaim": func() any { return new(core.PersistentVolumeClaim) },
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: kubernetes FILE...")
		os.Exit(2)
	}
	failed := false
	for _, file := range os.Args[1:] {
		text, err := os.ReadFile(file)
		if err == nil {
			err = check(text)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

var separator = regexp.MustCompile(`(?m)^---\n`)

// check checks all documents of a file.
func check(text []byte) error {
	var problems []error
	for i, document := range separator.Split(string(bytes.TrimSpace(text)), -1) {
		if err := checkDocument([]byte(document)); err != nil {
			problems = append(problems, fmt.Errorf("document %d: %w", i+1, err))
		}
	}
	return errors.Join(problems...)
}

func checkDocument(text []byte) error {
	var head struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal(text, &head); err != nil {
		return err
	}
	kind := head.APIVersion + " " + head.Kind
	make, ok := kinds[kind]
	if !ok {
		return fmt.Errorf("%q: expected a Job of batch/v1, or a ConfigMap or "+
			"PersistentVolumeClaim of v1", kind)
	}
	object := make()
	if err := yaml.UnmarshalStrict(text, object); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	if job, ok := object.(*batch.Job); ok {
		return checkJob(job)
	}
	return nil
}

// checkJob refuses what types cannot: what the API server would, what would lose a run, and what
// a hardened cluster ("restricted" of the Pod Security Standards) does not admit.
func checkJob(job *batch.Job) error {
	var problems []error
	expect := func(ok bool, what string) {
		if !ok {
			problems = append(problems, fmt.Errorf("Job %s: expected %s", job.Name, what))
		}
	}
	pod := job.Spec.Template.Spec
	expect(job.Name != "", "a name")
	expect(pod.RestartPolicy == core.RestartPolicyNever, "restartPolicy Never")
	grace := pod.TerminationGracePeriodSeconds
	expect(grace != nil && *grace == 30, "terminationGracePeriodSeconds 30")
	user := pod.SecurityContext
	expect(user != nil && user.RunAsNonRoot != nil && *user.RunAsNonRoot && user.RunAsUser != nil &&
		*user.RunAsUser > 0 && user.FSGroup != nil, "a user that is not root, and its group")
	expect(user != nil && user.SeccompProfile != nil &&
		user.SeccompProfile.Type == core.SeccompProfileTypeRuntimeDefault, "seccomp RuntimeDefault")
	expect(len(pod.Containers) == 1, "one container")
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
	}
	for _, c := range pod.Containers {
		s := c.SecurityContext
		expect(c.Image != "", "an image")
		expect(s != nil && s.ReadOnlyRootFilesystem != nil && *s.ReadOnlyRootFilesystem,
			"a read-only root file system")
		expect(s != nil && s.AllowPrivilegeEscalation != nil && !*s.AllowPrivilegeEscalation,
			"no privilege escalation")
		expect(s != nil && s.Capabilities != nil && len(s.Capabilities.Drop) == 1 &&
			s.Capabilities.Drop[0] == "ALL", "no capabilities")
		memory, limit := c.Resources.Requests.Memory(), c.Resources.Limits.Memory()
		expect(!memory.IsZero() && memory.Cmp(*limit) <= 0, "memory within its limit")
		for _, m := range c.VolumeMounts {
			expect(volumes[m.Name], "a volume "+m.Name)
		}
		for _, rule := range job.Spec.PodFailurePolicy.Rules {
			expect(rule.OnExitCodes == nil || *rule.OnExitCodes.ContainerName == c.Name,
				"exit codes of the container "+c.Name)
		}
	}
	return errors.Join(problems...)
}
