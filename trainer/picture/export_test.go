package picture

// BeginFolder is CreateFolder on a file system of the test.
var BeginFolder = createFolder
