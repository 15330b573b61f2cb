"""Makes the .npz archives of this directory with NumPy 2.4.6. From this directory: python make.py"""
import zipfile

import numpy as np

images = (10 * np.arange(24)).astype("uint8").reshape(3, 4, 2)
labels = np.array([5, 0, 7])
np.savez("stored.npz", images=images, labels=labels)
np.savez_compressed("deflated.npz", x_train=np.asfortranarray(images), y_train=labels.astype(">i2"), x_test=images[:2], y_test=labels[:2])
with zipfile.ZipFile("zip64.npz", "w") as out, out.open("arr_0.npy", "w", force_zip64=True) as file:
    np.save(file, images)
