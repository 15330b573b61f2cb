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

	mpi "github.com/kubeflow/mpi-operator/pkg/apis/kubeflow/v2beta1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// kinds makes the object of a kind that a manifest may have.
var kinds = map[string]func() any{
	"batch/v1 Job":                func() any { return new(batch.Job) },
	"kubeflow.org/v2beta1 MPIJob": func() any { return new(mpi.MPIJob) },
	"v1 ConfigMap":                func() any { return new(core.ConfigMap) },
	"v1 PersistentVolumeClaim":    func() any { return new(core.PersistentVolumeClaim) },
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
		return fmt.Errorf("%q: expected a Job of batch/v1, an MPIJob of kubeflow.org/v2beta1, or "+
			"a ConfigMap or PersistentVolumeClaim of v1", kind)
	}
	object := make()
	if err := yaml.UnmarshalStrict(text, object); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	switch job := object.(type) {
	case *batch.Job:
		return checkJob(job)
	case *mpi.MPIJob:
		return checkMPIJob(job)
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

// checkMPIJob refuses what the operator would, and what would lose a run or let it wait for ever.
func checkMPIJob(job *mpi.MPIJob) error {
	var problems []error
	expect := func(ok bool, what string) {
		if !ok {
			problems = append(problems, fmt.Errorf("MPIJob %s: expected %s", job.Name, what))
		}
	}
	expect(job.Name != "", "a name")
	expect(job.Spec.SlotsPerWorker != nil && *job.Spec.SlotsPerWorker == 1, "one rank a worker")
	expect(job.Spec.MPIImplementation == mpi.MPIImplementationOpenMPI, "OpenMPI")
	specs := job.Spec.MPIReplicaSpecs
	expect(specs[mpi.MPIReplicaTypeLauncher] != nil && specs[mpi.MPIReplicaTypeWorker] != nil &&
		len(specs) == 2, "a launcher and workers")
	for kind, replicas := range specs {
		if replicas == nil || replicas.Replicas == nil ||
			len(replicas.Template.Spec.Containers) != 1 {
			expect(false, fmt.Sprintf("a number of replicas of one container for the %s", kind))
			continue
		}
		pod := replicas.Template.Spec
		launcher := kind == mpi.MPIReplicaTypeLauncher
		expect(launcher == (*replicas.Replicas == 1), "one launcher, and more workers")
		least := int64(60)
		if launcher {
			least = 30
		}
		grace := pod.TerminationGracePeriodSeconds
		expect(grace != nil && *grace >= least, "time to save a checkpoint")
		volumes := map[string]bool{}
		for _, v := range pod.Volumes {
			volumes[v.Name] = true
		}
		c := pod.Containers[0]
		expect(c.Image != "" && len(c.Command) == 1, "an image and a command")
		memory, limit := c.Resources.Requests.Memory(), c.Resources.Limits.Memory()
		expect(!memory.IsZero() && memory.Cmp(*limit) <= 0, "memory within its limit")
		for _, m := range c.VolumeMounts {
			expect(volumes[m.Name], "a volume "+m.Name)
		}
	}
	return errors.Join(problems...)
}
