package file

// Temporary is temporary, for the tests, which use faultfs and so cannot be in this package.
var Temporary = temporary
