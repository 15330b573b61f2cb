package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// checkImage follows the last stage of the Containerfile with a built command: its directories and
// its user, in a chroot with nothing else. The command must train there.
func checkImage(t *testing.T, command string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Log("the image was not tried: chroot needs root")
		return
	}
	text, err := os.ReadFile(filepath.Join("..", "deploy", "Containerfile"))
	if err != nil {
		t.Fatal(err)
	}
	setting := func(pattern string) string {
		m := regexp.MustCompile(`(?m)^` + pattern + `$`).FindStringSubmatch(string(text))
		if m == nil {
			t.Fatalf("Containerfile: no %s", pattern)
		}
		return m[1]
	}
	user, err := strconv.Atoi(setting(`USER (\d+):\d+`))
	if err != nil {
		t.Fatal(err)
	}
	entry, dir := setting(`ENTRYPOINT \["(.*)"\]`), setting(`WORKDIR (/runs)`)
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	made := regexp.MustCompile(`install -d -m 1777 /image(/\w+)`)
	for _, made := range made.FindAllStringSubmatch(string(text), -1) {
		path := filepath.Join(root, made[1])
		if err := os.Mkdir(path, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o777|os.ModeSticky); err != nil {
			t.Fatal(err)
		}
	}
	binary, err := os.ReadFile(command)
	if err != nil {
		t.Fatal(err)
	}
	place := filepath.Join(root, entry)
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(place, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(entry, tiny("first")...)
	cmd.Path, cmd.Err = entry, nil
	cmd.Env = []string{"HOME=" + strings.TrimPrefix(setting(`ENV (HOME=.*)`), "HOME=")}
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot:     root,
		Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(user)},
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("in the image: %v\n%s", err, out)
	}
	latest := filepath.Join(root, "runs", "first", "checkpoints", "latest")
	if _, err := os.Stat(latest); err != nil {
		t.Error(err)
	}
}
