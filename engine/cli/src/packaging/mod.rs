//! What `viewfold package` writes: `function.zip`, the function, and `projections.zip`, a layer with its projections.
//!
//! [`binary`] looks at the function's binary before it is packed, [`layer`] says which files a layer holds, [`archive`]
//! makes bytes of files, the same ones every time.

pub(crate) mod archive;
pub(crate) mod binary;
pub(crate) mod layer;
