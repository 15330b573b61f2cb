package data

import "strings"

// labelFileFolders are the folders of TestLabelFiles, which are the classes if the file of labels
// is not used.
var labelFileFolders = []string{"00000", "00001"}

// labelFileCases are files of labels beside the pictures of TestLabelFiles.
var labelFileCases = map[string]struct {
	file, text string
	labels     []int
	classes    []string
	warnings   string
}{
	"edm": {
		"dataset.json", `{"labels": [["00000/b.png", 6], ["00001/c.png", 2], ["00000/a.png", 0]]}`,
		[]int{0, 6, 2}, nil, "",
	},
	"by name": {
		"labels.json", `{"b.png": "dog", "a.png": "cat", "c.png": "dog"}`,
		[]int{0, 1, 1}, []string{"cat", "dog"}, "",
	},
	"list": {"labels.json", `[3, 1, 2]`, []int{3, 1, 2}, nil, ""},
	"csv": {
		"labels.csv", "filename,label\n00000/a.png,1\n00000/b.png,0\n00001/c.png,1\n",
		[]int{1, 0, 1}, nil, "",
	},
	"pandas": {
		"metadata.csv", ",width,file_name,text,class\n" +
			"0,2,a.png,\"a, b\",zoo\n1,2,b.png,x,ark\n2,2,c.png,x,zoo\n",
		[]int{1, 0, 1}, []string{"ark", "zoo"}, "",
	},
	"kaggle": {
		"labels.csv", "id,breed\na,pug\nb,husky\nc,pug\n",
		[]int{1, 0, 1}, []string{"husky", "pug"}, "",
	},
	"windows": {
		"labels.csv",
		"\ufefffile;class\r\n00000\\a.png;1\r\n00000\\b.png;2\r\n00001\\c.png;3\r\n",
		[]int{1, 2, 3}, nil, "",
	},
	"tabs": {"labels.tsv", "a.png\t1\nb.png\t2\nc.png\t3\n", []int{1, 2, 3}, nil, ""},
	"jsonl": {
		"metadata.jsonl", `{"file_name": "a.png", "label": 4}` + "\n" +
			`{"file_name": "b.png", "label": 5}` + "\n" + `{"file_name": "c.png", "label": 4}`,
		[]int{4, 5, 4}, nil, "",
	},
	"floats": {
		"labels.csv", "file,label\na.png,1.0\nb.png,\nc.png,2.0\n",
		[]int{1, -1, 2}, nil, "",
	},
	"by row": {"labels.csv", "label\n5\n6\n7\n", []int{5, 6, 7}, nil, ""},
	"carriage returns": {
		"labels.csv", "file,label\ra.png,1\rb.png,0\rc.png,1\r", []int{1, 0, 1}, nil, "",
	},
	"UTF-16": {
		"labels.csv", "\xff\xfe" + strings.Join(strings.Split("file;label\na;1\nb;0\nc;1", ""),
			"\x00") + "\x00", []int{1, 0, 1}, nil, "",
	},
	"UTF-16, big-endian": {
		"labels.csv", "\xfe\xff\x00" +
			strings.Join(strings.Split("a\t1\nb\t0\nc\t1", ""), "\x00"),
		[]int{1, 0, 1}, nil, "",
	},
	"a foreign header": {
		"labels.csv", "Datei;Art\na.png;Kuh\nb.png;Bär\nc.png;Kuh\n",
		[]int{1, 0, 1}, []string{"Bär", "Kuh"}, "",
	},
	"a foreign header of rows": {
		"labels.csv", "my class\ncow\nape\ncow\n", []int{1, 0, 1}, []string{"ape", "cow"}, "",
	},
	"no header": { // the first picture is missing, and its class is of one picture
		"labels.csv", "x.png,ape\na.png,cow\nb.png,dog\nc.png,cow\n",
		[]int{1, 2, 1}, []string{"ape", "cow", "dog"}, "1 of 4 labels are of no image: x.png",
	},
	"Latin-1": {
		"labels.csv", "file,label\na.png,B\xe4r\nb.png,Kuh\nc.png,Kuh\nx\xe4.png,Kuh\n",
		[]int{0, 1, 1}, []string{"B\xe4r", "Kuh"},
		"not in UTF-8, so that some will look wrong|of no image: \"x\\xe4.png\", not in UTF-8",
	},
	"numbers after names": {
		"labels.csv", "a.png,x\nb.png,-5\nc.png,x\n", []int{1, 0, 1}, []string{"-5", "x"}, "",
	},
	"numbers before names": {
		"labels.csv", "a.png,-5\nb.png,x\nc.png,x\n", []int{0, 1, 1}, []string{"-5", "x"}, "",
	},
	"some": {
		"labels.csv", "file,label\na.png,1\nx.png,2\n", []int{1, -1, -1}, nil,
		"1 of 2 labels are of no image: x.png|2 of 3 images have no label",
	},
	"of others": {
		"labels.csv", "file,label\nx.png,1\ny.png,2\n", []int{0, 0, 1}, labelFileFolders,
		"none of its names (x.png, y.png)",
	},
	"captions": {
		"metadata.csv", "file_name,text,more\na.png,x,y\n", []int{0, 0, 1}, labelFileFolders,
		"has the columns file_name, text, more",
	},
	"unlabelled edm": {
		"dataset.json", `{"labels": null}`, []int{0, 0, 1}, labelFileFolders,
		"null stands in their place",
	},
	"broken": {
		"labels.json", `{"a.png": 1, `, []int{0, 0, 1}, labelFileFolders, "is not complete JSON",
	},
}
